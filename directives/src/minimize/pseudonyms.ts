import type { Alternatives } from '../specification/read-arguments.js';
import { keyedDigest } from './keyed-digest.js';
import type { KeyedDigest } from './keyed-digest.js';
import { openText, sealText } from './sealed-text.js';
import { purposesText } from './strategy.js';
import type { MinimizationContext } from './strategy.js';

/** A key that made pseudonyms before another one did. */
export interface FormerPseudonymKey {
  /** At least 32 bytes. */
  readonly key: Uint8Array;
  /** Until when pseudonyms that it made are still recognized. */
  readonly until: Date;
}

/** Makes pseudonyms of one field, and recognizes them, with one key. */
export interface PseudonymMaker {
  make(text: string, context: MinimizationContext): string;
  /** @returns undefined if it did not make the pseudonym, or cannot read what it makes */
  read(pseudonym: string, context: MinimizationContext): string | undefined;
}

/** 128 bits: two values of one client do not collide by chance. */
const PSEUDONYM_BYTES = 16;

/** @param isReadable encrypts the value, where otherwise a digest takes its place */
export function pseudonymMaker(
  digestFor: (domain: string) => KeyedDigest,
  coordinate: string,
  isReadable: boolean,
): PseudonymMaker {
  if (!isReadable) {
    const digest = digestFor(coordinate);
    return {
      make: (text, context) =>
        digest(context.clientId, purposesText(context), text)
          .subarray(0, PSEUDONYM_BYTES)
          .toString('base64url'),
      read: () => undefined,
    };
  }
  // No field has this name: what another field shows is never this field's key.
  const keys = digestFor(`${coordinate} sealed`);
  let last: { readonly of: string; readonly key: Uint8Array } | undefined;
  // The values of one answer are of one client and its purposes.
  const keyOf = (context: MinimizationContext): Uint8Array => {
    const purposes = purposesText(context);
    const of = JSON.stringify([context.clientId, purposes]);
    if (last?.of !== of) last = { of, key: keys(context.clientId, purposes) };
    return last.key;
  };
  return {
    make: (text, context) => sealText(keyOf(context), text),
    read: (pseudonym, context) => openText(keyOf(context), pseudonym),
  };
}

interface PseudonymsInput {
  readonly coordinate: string;
  readonly key: Uint8Array;
  readonly former: readonly FormerPseudonymKey[];
  /** Delegations that hold one of these may read a pseudonym again; empty: it cannot be read. */
  readonly readableWith: Alternatives;
}

/** The pseudonyms of one field, by the present key and those before it. */
export class Pseudonyms {
  readonly readableWith: Alternatives;
  readonly #makers: readonly { readonly maker: PseudonymMaker; readonly untilMs: number }[];

  constructor({ coordinate, former, key, readableWith }: PseudonymsInput) {
    this.readableWith = readableWith;
    const makerOf = (of: Uint8Array): PseudonymMaker =>
      pseudonymMaker((domain) => keyedDigest(of, domain), coordinate, readableWith.length > 0);
    this.#makers = [
      { maker: makerOf(key), untilMs: Infinity },
      ...former.map((each) => ({ maker: makerOf(each.key), untilMs: each.until.getTime() })),
    ];
  }

  /** All that stand for a value now, the present key's first. */
  of(text: string, context: MinimizationContext, nowMs: number): readonly string[] {
    return this.#inForce(nowMs).map((maker) => maker.make(text, context));
  }

  /** @returns undefined for what is no pseudonym of this field, client and purpose, or not any more */
  read(pseudonym: string, context: MinimizationContext, nowMs: number): string | undefined {
    for (const maker of this.#inForce(nowMs)) {
      const text = maker.read(pseudonym, context);
      if (text !== undefined) return text;
    }
    return undefined;
  }

  #inForce(nowMs: number): readonly PseudonymMaker[] {
    return this.#makers.filter(({ untilMs }) => nowMs < untilMs).map(({ maker }) => maker);
  }
}
