/** The look of the report. In the dark, the neutral colours of the figures follow the page; the palette stays. */
import { FAINT, INK, MUTED, PAPER, RULE } from "../style.js";

const FIGURE_COLOURS = { [INK]: "--ink", [MUTED]: "--muted", [RULE]: "--rule", [FAINT]: "--faint", [PAPER]: "--paper" };

const followThePage = Object.entries(FIGURE_COLOURS)
  .flatMap(([colour, variable]) => [
    `.picture [fill="${colour}"]{fill:var(${variable})}`,
    `.picture [stroke="${colour}"]{stroke:var(${variable})}`,
  ])
  .join("\n");

export const REPORT_STYLE = `
:root{--ink:${INK};--muted:${MUTED};--rule:${RULE};--faint:${FAINT};--paper:${PAPER};--accent:#a8143a;--code:#f4f5f7}
@media (prefers-color-scheme:dark){
:root{--ink:#e6e8eb;--muted:#9aa3ae;--rule:#3d434b;--faint:#2a2f36;--paper:#16191d;--accent:#f0738f;--code:#22262c}
.picture [fill="#a8143a"]{fill:#ee5c7d}.picture [stroke="#a8143a"]{stroke:#ee5c7d}
.picture [fill="#3f4650"]{fill:#c3c9d1}.picture [stroke="#3f4650"]{stroke:#c3c9d1}
}
*{box-sizing:border-box}
body{margin:0 auto;padding:2.5rem 1.25rem 5rem;max-width:54rem;background:var(--paper);color:var(--ink);
font:400 16px/1.55 Inter,system-ui,sans-serif;font-feature-settings:"tnum"}
h1{font-size:2rem;font-weight:600;line-height:1.2;margin:0 0 .4rem;letter-spacing:-.02em}
h2{font-size:1.3rem;font-weight:600;margin:3.2rem 0 .8rem;letter-spacing:-.01em}
h3{font-size:1.02rem;font-weight:600;margin:2.2rem 0 .6rem}
.origin{margin:.6rem 0 0;font-size:.88rem}
p{margin:.6rem 0;max-width:44rem}
.subtitle{color:var(--muted);font-size:1.05rem}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
strong,th{font-weight:600}
dl{display:flex;flex-wrap:wrap;gap:.5rem 1.8rem;margin:1.2rem 0;font-size:.85rem}
dt{color:var(--muted)}dd{margin:0;overflow-wrap:anywhere}
nav ol{columns:2;font-size:.9rem;padding-left:1.2rem;margin:1.4rem 0 0}
code,pre{font:.82em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{background:var(--code);border-radius:4px;padding:.12em .4em;overflow-wrap:anywhere;user-select:all}
pre{background:var(--code);border-radius:8px;padding:.7rem .9rem;overflow-x:auto}pre code{padding:0;background:none}
figure{margin:1.6rem 0 2.2rem}
.picture svg{display:block;max-width:100%;height:auto;margin:0 auto}
figcaption{margin-top:.7rem;font-size:.88rem;color:var(--muted)}
figcaption strong{color:var(--ink);display:block}figcaption p{margin:.2rem 0 .4rem}
details{margin-top:.35rem}summary{cursor:pointer}details ul{margin:.3rem 0;padding-left:1.2rem;font-size:.92em}
.table{overflow-x:auto;margin:1.2rem 0}
table{border-collapse:collapse;width:100%;font-size:.88rem;border-top:1.5px solid var(--ink);border-bottom:1.5px solid var(--ink)}
caption{text-align:left;color:var(--muted);padding-bottom:.5rem}
th,td{padding:.4rem .8rem .4rem 0;text-align:left;vertical-align:top}
th:last-child,td:last-child{padding-right:0}
thead th{border-bottom:1px solid var(--ink)}tbody tr+tr td{border-top:1px solid var(--faint)}
.right{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.published,.note{color:var(--muted);font-size:.9em;white-space:nowrap}.note{font-style:italic}
.right .published,.right .note{display:block}
${followThePage}
@media print{body{max-width:none;padding:0}figure,tr{break-inside:avoid}nav{display:none}}
`;
