/** An inspector of a model in this process. */
import {
  type BranchReading,
  chooseToken,
  createDecoder,
  findSlotUses,
  GrowingText,
  headProposals,
  type LanguageModel,
  largest,
  type Passage,
  readOn,
  readPassage,
  type SlotUses,
  storedProposals,
  TextPieces,
  weightsAt,
} from "@mm/models";
import { Rng, UserError } from "@mm/run";
import type {
  HeadPlace,
  HeadView,
  Inspector,
  ModelCard,
  PositionView,
  SlotFiring,
  StoredView,
  TextView,
  UseView,
  Word,
  WritingSettings,
} from "./inspector.js";

/** What the inspector needs of a tokenizer. */
export interface TextTokenizer {
  encode(text: string): ArrayLike<number>;
  decode(tokens: ArrayLike<number>): string;
  /** Ids below `vocabulary` have a text. */
  readonly info: { readonly vocabulary: number; readonly endOfText: number | null };
}

export interface OpenModel {
  readonly id: string;
  readonly name: string;
  readonly model: LanguageModel;
  readonly tokenizer: TextTokenizer;
  /** Token ids of texts, of which slots are shown the strongest uses; possibly none. */
  readonly sample: readonly (readonly number[])[];
}

/** Longest text that is looked into: read weights grow with its square. */
const LONGEST_TEXT = 512;
const WORDS = 5;
const SLOTS = 8;
/** Tokens shown before and after a place where a slot fires. */
const BEFORE = 8;
const AFTER = 3;

export class LocalInspector implements Inspector {
  readonly card: ModelCard;
  #latest: { text: string; passage: Promise<Passage> } | undefined;
  readonly #uses = new Map<number, Promise<SlotUses>>();

  constructor(private readonly opened: OpenModel) {
    const { id, name, model, sample } = opened;
    const { blocks, heads, width } = model.config as unknown as { blocks: number; heads: number; width: number };
    this.card = {
      ...{ id, name, kind: model.config.kind, blocks, heads, width },
      parameters: Object.values(model.variables()).reduce((sum, { size }) => sum + size, 0),
      contextLength: model.config.contextLength,
      sampled: sample.length > 0,
    };
  }

  async read(text: string): Promise<TextView> {
    const passage = await this.#passage(text);
    return {
      tokens: passage.tokens.map((token, position) => {
        const logProbability = passage.logProbabilities[position];
        return {
          text: this.#piece(token),
          ...(logProbability === undefined ? {} : { probability: Math.exp(logProbability) }),
        };
      }),
      cut: this.opened.tokenizer.encode(text).length > passage.tokens.length,
      predictions: passage.predictions.map((words) =>
        words.map(({ token, logProbability }) => ({ text: this.#piece(token), probability: Math.exp(logProbability) })),
      ),
      branches: passage.branches.map(({ branch: { block, kind, heads }, weights, size, characters }) => ({
        ...{ block, kind, heads, size, characters },
        banks: weights.length,
      })),
    };
  }

  async at(text: string, position: number): Promise<PositionView> {
    const passage = await this.#passage(text);
    expectIndex("position", position, passage.tokens.length);
    const proposals = await headProposals(this.opened.model, passage, position, this.#words(WORDS));
    return passage.branches.map((reading, branch) =>
      Array.from({ length: reading.branch.heads }, (_, head): HeadView => {
        const words = proposals[branch]![head]!.map((proposal) => this.#word(proposal));
        if (isOfText(reading)) {
          const weights = weightsAt(reading, passage.tokens.length, { position, head });
          return { weights: Array.from(weights.subarray(0, position + 1), rounded), words };
        }
        return { slots: strongest(reading, passage, position, head, SLOTS), words };
      }),
    );
  }

  async stored(text: string, position: number, { branch, head }: HeadPlace): Promise<StoredView[]> {
    const passage = await this.#passage(text);
    expectIndex("position", position, passage.tokens.length);
    const reading = this.#reading(passage, branch, head);
    const things = strongest(reading, passage, position, head, SLOTS);
    const place = { position, head, stored: things };
    const proposals = await storedProposals(this.opened.model, passage, reading, place, this.#words(WORDS));
    return things.map((thing, i) => ({ ...thing, words: proposals[i]!.map((proposal) => this.#word(proposal)) }));
  }

  async uses({ branch, head }: HeadPlace, { bank, index }: { bank: number; index: number }): Promise<UseView[]> {
    const { model, sample } = this.opened;
    let uses = this.#uses.get(branch);
    if (uses === undefined) {
      uses = findSlotUses(model, branch, sample);
      this.#uses.set(branch, uses);
    }
    const fired = (await uses).of({ head, bank, index }).filter(({ weight }) => weight > 0);
    return fired.map(({ text, position, weight }) => {
      const tokens = sample[text]!;
      const cut = (from: number, to: number) => this.opened.tokenizer.decode(tokens.slice(Math.max(0, from), to));
      return {
        before: cut(position - BEFORE, position),
        token: this.#piece(tokens[position]!),
        after: cut(position + 1, position + 1 + AFTER),
        weight: rounded(weight),
      };
    });
  }

  async *write(prompt: string, settings: WritingSettings, signal: AbortSignal): AsyncGenerator<string> {
    const { tokenizer } = this.opened;
    const pieces = new TextPieces((tokens) => tokenizer.decode(tokens));
    for await (const token of this.#continue(this.#encode(prompt), settings, signal)) {
      if (token === tokenizer.info.endOfText) break;
      const text = pieces.push(token);
      if (text !== "") yield text;
    }
    const rest = pieces.flush();
    if (rest !== "") yield rest;
  }

  dispose(): void {
    this.opened.model.dispose();
  }

  async *#continue(tokens: number[], settings: WritingSettings, signal: AbortSignal): AsyncGenerator<number> {
    const { temperature, topP, seed } = settings;
    const sampling = { temperature, topP, rng: Rng.fromSeed(seed).fork("write") };
    const decoder = createDecoder(this.opened.model);
    const text = new GrowingText(decoder, tokens, "stream");
    try {
      for (let made = 0; made < settings.tokens && !signal.aborted; made++) {
        const scores = readOn(decoder, [text]);
        const logits = (await scores.data()) as Float32Array;
        scores.dispose();
        // Ids beyond the tokenizer's are padding of the matrix: they have no text.
        const token = chooseToken(logits.subarray(0, this.opened.tokenizer.info.vocabulary), sampling, text.tokens);
        text.tokens.push(token);
        yield token;
      }
    } finally {
      text.dispose();
      decoder.dispose();
    }
  }

  /** The latest text is kept: stepping through it computes it once. */
  #passage(text: string): Promise<Passage> {
    if (this.#latest?.text === text) return this.#latest.passage;
    const { model, tokenizer } = this.opened;
    const tokens = this.#encode(text).slice(0, Math.min(model.config.contextLength, LONGEST_TEXT));
    const passage = readPassage(model, tokens, tokenizer.info.vocabulary);
    this.#latest = { text, passage };
    return passage;
  }

  /** An empty text is the start of a document. */
  #encode(text: string): number[] {
    const { tokenizer } = this.opened;
    const tokens = Array.from(tokenizer.encode(text));
    if (tokens.length > 0) return tokens;
    if (tokenizer.info.endOfText !== null) return [tokenizer.info.endOfText];
    throw new UserError("Expected a text of at least one token, found an empty one.");
  }

  #reading(passage: Passage, branch: number, head: number): BranchReading {
    expectIndex("branch", branch, passage.branches.length);
    const reading = passage.branches[branch]!;
    expectIndex("head", head, reading.branch.heads);
    return reading;
  }

  #words(count: number) {
    return { count, vocabulary: this.opened.tokenizer.info.vocabulary };
  }

  #word({ token, share }: { token: number; share: number }): Word {
    return { text: this.#piece(token), share: Math.round(share * 100) / 100 };
  }

  #piece(token: number): string {
    const { tokenizer } = this.opened;
    return token < tokenizer.info.vocabulary ? tokenizer.decode([token]) : `⟨${token}⟩`;
  }
}

function isOfText({ branch }: BranchReading): boolean {
  return branch.kind === "contextual" || branch.kind === "attention";
}

/** The things of largest weight over all banks. */
function strongest(reading: BranchReading, passage: Passage, position: number, head: number, count: number) {
  return reading.weights
    .flatMap((_, bank): SlotFiring[] => {
      const weights = weightsAt(reading, passage.tokens.length, { position, head, bank });
      return largest(weights, count).map((index) => ({ bank, index, weight: rounded(weights[index]!) }));
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, count);
}

/** To five digits after the point, so that answers stay short. */
function rounded(weight: number): number {
  return Math.round(weight * 1e5) / 1e5;
}

function expectIndex(what: string, index: number, count: number): void {
  if (!(Number.isInteger(index) && index >= 0 && index < count))
    throw new UserError(`Expected a ${what} from 0 to ${count - 1}, found ${index}.`);
}
