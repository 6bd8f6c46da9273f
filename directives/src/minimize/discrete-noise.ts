import { createHmac } from 'node:crypto';

/** The shapes of noise on a grid, by how likely a distance is. */
export const DISTRIBUTIONS = Object.freeze(['LAPLACE', 'GAUSSIAN'] as const);

export type Distribution = (typeof DISTRIBUTIONS)[number];

/** A positive number, exactly. */
export interface Ratio {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/**
 * A whole number of steps, drawn exactly: Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy"
 * (NeurIPS 2020), algorithms 1 to 3. Nothing is computed with doubles, whose low bits have told the value elsewhere.
 *
 * @param scale in steps: of Laplace noise the mean distance, nearly; of Gaussian noise the standard deviation
 */
export function drawNoise(distribution: Distribution, scale: Ratio, bits: KeyedBits): bigint {
  return distribution === 'LAPLACE' ? drawLaplace(scale, bits) : drawGaussian(scale, bits);
}

const ONE: Ratio = { numerator: 1n, denominator: 1n };

/** Algorithm 2: P(x) is proportional to exp(-|x| / scale). */
function drawLaplace({ numerator: t, denominator: s }: Ratio, bits: KeyedBits): bigint {
  for (;;) {
    const u = bits.below(t);
    if (!happensAtExp({ numerator: u, denominator: t }, bits)) continue;
    let v = 0n;
    while (happensAtExp(ONE, bits)) v += 1n;
    const distance = (u + t * v) / s;
    const isNegative = bits.below(2n) === 1n;
    // Otherwise 0 would be drawn twice as often.
    if (isNegative && distance === 0n) continue;
    return isNegative ? -distance : distance;
  }
}

/** Algorithm 3: P(x) is proportional to exp(-x² / 2 scale²). */
function drawGaussian(scale: Ratio, bits: KeyedBits): bigint {
  const n = scale.numerator ** 2n;
  const d = scale.denominator ** 2n;
  const t = scale.numerator / scale.denominator + 1n;
  for (;;) {
    const drawn = drawLaplace({ numerator: t, denominator: 1n }, bits);
    const distance = drawn < 0n ? -drawn : drawn;
    const off = distance * t * d - n;
    if (happensAtExp({ numerator: off * off, denominator: 2n * n * d * t * t }, bits)) return drawn;
  }
}

/** Algorithm 1: true with probability exp(-x). */
function happensAtExp({ numerator, denominator }: Ratio, bits: KeyedBits): boolean {
  let rest = numerator;
  for (; rest > denominator; rest -= denominator)
    if (!happensAtSmallExp(denominator, denominator, bits)) return false;
  return happensAtSmallExp(rest, denominator, bits);
}

/** For an x from 0 to 1. */
function happensAtSmallExp(numerator: bigint, denominator: bigint, bits: KeyedBits): boolean {
  let k = 1n;
  while (bits.below(denominator * k) < numerator) k += 1n;
  return k % 2n === 1n;
}

const BLOCK_BYTES = 32;
/** A draw needs some dozens of bytes. Whoever needs far more has met no chance that ever comes. */
const MAX_BLOCKS = 1_000;

/** Random bits that are always the same for one key and seed: HMAC-SHA-256 in counter mode (NIST SP 800-108, section 4.1). */
export class KeyedBits {
  readonly #key: Uint8Array;
  readonly #seed: Uint8Array;
  #block = Buffer.alloc(0);
  #position = 0;
  #blocks = 0;

  constructor(key: Uint8Array, seed: Uint8Array) {
    this.#key = key;
    this.#seed = seed;
  }

  /** A number from 0 to one below the limit, each as likely. @throws RangeError after more than anybody needs */
  below(limit: bigint): bigint {
    const bytes = Math.ceil((limit - 1n).toString(2).length / 8);
    const range = 1n << BigInt(bytes * 8);
    // Numbers above the last whole multiple of the limit would make small ones more likely.
    const end = range - (range % limit);
    for (;;) {
      let drawn = 0n;
      for (let index = 0; index < bytes; index++) drawn = (drawn << 8n) | BigInt(this.#byte());
      if (drawn < end) return drawn % limit;
    }
  }

  #byte(): number {
    if (this.#position === this.#block.length) this.#fill();
    const byte = this.#block[this.#position] ?? 0;
    this.#position += 1;
    return byte;
  }

  #fill(): void {
    this.#blocks += 1;
    if (this.#blocks > MAX_BLOCKS) throw new RangeError('The noise needs too many bits');
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.#blocks);
    this.#block = createHmac('sha256', this.#key)
      .update(counter)
      .update(this.#seed)
      .digest()
      .subarray(0, BLOCK_BYTES);
    this.#position = 0;
  }
}
