import { DirectiveError } from '../../errors.js';
import { readAlternatives } from '../../specification/read-arguments.js';
import type { Alternatives } from '../../specification/read-arguments.js';
import { isGiven } from '../parameters.js';
import { pseudonymMaker } from '../pseudonyms.js';
import { isText, needsType, ofText } from '../strategy.js';
import type { StrategyComparison, StrategyDefinition } from '../strategy.js';

export interface PseudonymizeParameters {
  /** A delegation that holds one of these may read a pseudonym again. Absent: nobody can. */
  readonly readableWith?: Alternatives;
}

/** A stable name in place of the value, under a key: the same for one client and purpose, and unlinkable between them. */
export const pseudonymize: StrategyDefinition<PseudonymizeParameters> = {
  arguments: { readableWith: '[[String!]!]' },
  read: ({ readableWith }, coordinate) => {
    if (!isGiven(readableWith)) return {};
    const alternatives = readAlternatives(readableWith, 'readableWith', coordinate);
    if (alternatives.length > 0 && alternatives.every((names) => names.length > 0))
      return { readableWith: alternatives };
    throw new DirectiveError('INVALID_RULE', '"readableWith" must name scopes', coordinate);
  },
  compile: ({ readableWith }, { coordinate, keyedDigest, typeName }) => {
    needsType(isText(typeName), 'PSEUDONYMIZE', 'String or ID', coordinate);
    const maker = pseudonymMaker(keyedDigest, coordinate, readableWith !== undefined);
    return ofText((text, context) => maker.make(text, context));
  },
  compare: (before, after): StrategyComparison => {
    if (before.readableWith === undefined) return after.readableWith === undefined ? 'equal' : 'weaker';
    return after.readableWith === undefined ? 'stronger' : 'equal';
  },
};
