import { readCount } from '../parameters.js';
import { byDetail, isText, needsType, ofText } from '../strategy.js';
import type { GeneralizationDefinition } from './generalization.js';

export interface H3Parameters {
  /** The resolution that stays, 0 to 15: 5 is a cell of about 250 km², 7 of 5 km². */
  readonly h3: number;
}

const MAX_RESOLUTION = 15;
const CELL = /^[0-9a-f]{15,16}$/i;
/** H3's index of a cell: 1 bit reserved, 4 of mode, 3 reserved, 4 of resolution, 7 of base cell, and 3 for each digit. */
const MODE = { shift: 59n, mask: 0xfn, cell: 1n };
const RESERVED = { shift: 56n, mask: 0x7n };
const RESOLUTION = { shift: 52n, mask: 0xfn };
const BASE_CELL = { shift: 45n, mask: 0x7fn, count: 122n };
const DIGIT_BITS = 3n;
/** A digit that is not used. */
const NONE = 7n;

/** H3 cells by resolution: the parent cell, as H3's own `cellToParent` computes it. */
export const h3: GeneralizationDefinition<H3Parameters> = {
  arguments: { h3: 'Int' },
  read: (args, coordinate) => ({ h3: readCount(args.h3, 'h3', coordinate, [0, MAX_RESOLUTION]) }),
  compile: (parameters, { coordinate, typeName }) => {
    needsType(isText(typeName), 'GENERALIZE', 'String or ID', coordinate);
    return ofText((text) => parentOf(text, parameters.h3));
  },
  compare: (before, after) => byDetail(before.h3, after.h3),
};

function parentOf(text: string, resolution: number): string | null {
  if (!CELL.test(text)) return null;
  const cell = BigInt(`0x${text}`);
  const field = ({ mask, shift }: { readonly shift: bigint; readonly mask: bigint }): bigint =>
    (cell >> shift) & mask;
  const isCell = cell >> 63n === 0n && field(MODE) === MODE.cell && field(RESERVED) === 0n;
  if (!isCell || field(BASE_CELL) >= BASE_CELL.count) return null;
  const own = Number(field(RESOLUTION));
  if (own <= resolution) return text.toLowerCase();
  let parent = (cell & ~(RESOLUTION.mask << RESOLUTION.shift)) | (BigInt(resolution) << RESOLUTION.shift);
  for (let digit = resolution + 1; digit <= own; digit++) {
    parent |= NONE << (BigInt(MAX_RESOLUTION - digit) * DIGIT_BITS);
  }
  return parent.toString(16);
}
