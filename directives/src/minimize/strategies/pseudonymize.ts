import { isText, needsType, ofText, purposesText } from '../strategy.js';
import type { StrategyDefinition } from '../strategy.js';

/** It has none. */
export type PseudonymizeParameters = object;

/** 128 bits: two values of one client do not collide by chance. */
const PSEUDONYM_BYTES = 16;

/** A stable name in place of the value, under a key: the same for one client and purpose, and unlinkable between them. */
export const pseudonymize: StrategyDefinition<PseudonymizeParameters> = {
  arguments: {},
  read: () => ({}),
  compile: (_parameters, { coordinate, keyedDigest, typeName }) => {
    needsType(isText(typeName), 'PSEUDONYMIZE', 'String or ID', coordinate);
    const digest = keyedDigest();
    return ofText((text, context) =>
      digest(context.clientId, purposesText(context), text)
        .subarray(0, PSEUDONYM_BYTES)
        .toString('base64url'),
    );
  },
  compare: () => 'equal',
};
