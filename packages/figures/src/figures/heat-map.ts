/** Cells shaded from paper white to the colour of our subject. */
export const HEAT = { range: ["#ffffff", "#f3c9b5", "#d9566b", "#7a0f3a", "#2a0416"], interpolate: "lab" };
