/**
 * What the page asks of a model. The same questions are answered by a model in this process (`LocalInspector`: in the
 * server, or in the visitor's browser) and by one behind HTTP (`RemoteInspector`). All answers are plain data, with tokens
 * as text.
 */
import type { BranchKind, HeadCharacter } from "@mm/models";

export interface ModelCard {
  /** What it is asked for by. */
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly parameters: number;
  readonly blocks: number;
  readonly heads: number;
  readonly width: number;
  readonly contextLength: number;
  /** Whether there is a sample of texts on which slots fire. */
  readonly sampled: boolean;
}

export interface TokenView {
  readonly text: string;
  /** Probability that the model gave it beforehand; none for the first. */
  readonly probability?: number;
}

export interface Word {
  readonly text: string;
  /** What it adds to the word's logit, above the mean over all words. */
  readonly share: number;
}

export interface BranchCard {
  readonly block: number;
  readonly kind: BranchKind;
  readonly heads: number;
  readonly banks: number;
  /** Slots of a bank, or hidden units; for memories of the text the number of its tokens. */
  readonly size: number;
  readonly characters: readonly HeadCharacter[];
}

export interface TextView {
  readonly tokens: readonly TokenView[];
  /** Whether the text was longer than the model's context, and its end was left out. */
  readonly cut: boolean;
  readonly predictions: readonly (readonly { text: string; probability: number }[])[];
  readonly branches: readonly BranchCard[];
}

export interface HeadView {
  /** Weights of earlier positions, for memories of the text. */
  readonly weights?: readonly number[];
  /** The slots (or units) that fire most, for learned memories. */
  readonly slots?: readonly SlotFiring[];
  /** Nearest words of the head's read-out. */
  readonly words: readonly Word[];
}

export interface SlotFiring {
  readonly bank: number;
  readonly index: number;
  readonly weight: number;
}

/** For each branch, for each head. */
export type PositionView = readonly (readonly HeadView[])[];

/** One stored thing (an earlier position, a slot, a unit), how much of it was read, and what it alone would propose. */
export interface StoredView extends SlotFiring {
  readonly words: readonly Word[];
}

/** A place where a slot fires. */
export interface UseView {
  readonly before: string;
  readonly token: string;
  readonly after: string;
  readonly weight: number;
}

export interface HeadPlace {
  readonly branch: number;
  readonly head: number;
}

export interface WritingSettings {
  readonly tokens: number;
  /** 0 always takes the most probable token. */
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
}

export interface Inspector {
  readonly card: ModelCard;
  read(text: string): Promise<TextView>;
  /** What all heads read at a position of a text. */
  at(text: string, position: number): Promise<PositionView>;
  /** The most read things of one head at a position. */
  stored(text: string, position: number, place: HeadPlace): Promise<readonly StoredView[]>;
  /** What else a slot fires on. */
  uses(place: HeadPlace, slot: { bank: number; index: number }): Promise<readonly UseView[]>;
  /** Continues a text, piece by piece. */
  write(prompt: string, settings: WritingSettings, signal: AbortSignal): AsyncIterable<string>;
}
