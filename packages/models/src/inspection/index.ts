export { type Anatomy, anatomyOf, type Branch, type BranchKind, isInspectable } from "./anatomy.js";
export { type BranchReading, type HeadCharacter, type Passage, readPassage, weightsAt } from "./passage.js";
export { headProposals, headVectors, logitShares, type Proposal, spreadAt, storedProposals } from "./proposals.js";
export { findSlotUses, type SlotUse, type SlotUses } from "./slot-uses.js";
