import { DirectiveError } from '../../errors.js';
import { oneOf } from '../../option-checks.js';
import { isText, needsType, ofText } from '../strategy.js';
import type { StrategyComparison } from '../strategy.js';
import { countryCodeOf } from './country-codes.js';
import type { GeneralizationDefinition } from './generalization.js';

/** The parts of a text that `part` can leave. */
export const PARTS = Object.freeze(['EMAIL_DOMAIN', 'PHONE_COUNTRY'] as const);

export type Part = (typeof PARTS)[number];

export interface PartParameters {
  readonly part: Part;
}

/** An address or number by the part of it that many share. */
export const part: GeneralizationDefinition<PartParameters> = {
  arguments: { part: 'behalf__Part' },
  read: (args, coordinate) => {
    const problem = oneOf(...PARTS)(args.part);
    if (problem !== undefined) throw new DirectiveError('INVALID_RULE', `"part" ${problem}`, coordinate);
    return { part: args.part as Part };
  },
  compile: (parameters, { coordinate, typeName }) => {
    needsType(isText(typeName), 'GENERALIZE', 'String or ID', coordinate);
    return ofText(parameters.part === 'EMAIL_DOMAIN' ? domainOf : countryCodeOf);
  },
  compare: (before, after): StrategyComparison => (before.part === after.part ? 'equal' : 'incomparable'),
};

/** What stands behind the last `@`: a quoted local part can contain one (RFC 5321 section 4.1.2). */
export function domainOf(address: string): string | null {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  return at > 0 && domain !== '' && !/\s/.test(domain) ? domain : null;
}
