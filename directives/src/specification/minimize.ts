import { DirectiveError } from '../errors.js';
import { DATE_UNITS } from '../minimize/date-unit.js';
import { DISTRIBUTIONS } from '../minimize/discrete-noise.js';
import { PARTS } from '../minimize/generalize/part.js';
import { isGiven } from '../minimize/parameters.js';
import { argumentsOfStrategy, readStrategy, STRATEGY_NAMES } from '../minimize/strategies/index.js';
import type { MinimizationStrategy } from '../minimize/strategies/index.js';
import { MASK_FORMS } from '../minimize/strategies/mask.js';
import { oneOf } from '../option-checks.js';
import type { DirectiveSpecification } from './directive-specification.js';
import { BEHALF_IDENTITY } from './feature.js';
import { readAlternatives } from './read-arguments.js';
import type { Alternatives, Arguments } from './read-arguments.js';

/** A strategy with its checked arguments. */
export type Minimization = MinimizationStrategy & {
  /** A delegation that holds one of these gets the whole value; empty: nobody does. */
  readonly unless: Alternatives;
};

/** Of all strategies, by name, with their types. */
const PARAMETERS: Readonly<Record<string, string>> = Object.assign(
  {},
  ...STRATEGY_NAMES.map(argumentsOfStrategy),
) as Record<string, string>;

/** `@minimize(to: …, unless: [[…]])`: returns less than the stored value. */
export const minimize = Object.freeze({
  name: 'minimize',
  identities: [BEHALF_IDENTITY],
  arguments: ['to', ...Object.keys(PARAMETERS), 'unless'],
  definition: (name) =>
    `directive @${name}(to: behalf__Strategy!, ${Object.entries(PARAMETERS)
      .map(([argument, type]) => `${argument}: ${type}`)
      .join(', ')}, unless: [[String!]!]) on FIELD_DEFINITION`,
  composed: true,
  protects: true,
  compile: (args, coordinate) =>
    ({ kind: 'minimization', minimization: readMinimization(args, coordinate) }) as const,
} as const satisfies DirectiveSpecification);

/** Enumerations that the definition of `@minimize` refers to. */
export const MINIMIZE_ENUMS = [
  `enum behalf__Strategy { ${STRATEGY_NAMES.join(' ')} }`,
  `enum behalf__DateUnit { ${DATE_UNITS.join(' ')} }`,
  `enum behalf__MaskForm { ${MASK_FORMS.join(' ')} }`,
  `enum behalf__Part { ${PARTS.join(' ')} }`,
  `enum behalf__Distribution { ${DISTRIBUTIONS.join(' ')} }`,
] as const;

/** @throws {DirectiveError} `INVALID_RULE` */
function readMinimization(args: Arguments, coordinate: string): Minimization {
  const { to } = args;
  const name = STRATEGY_NAMES.find((each) => each === to);
  if (name === undefined)
    throw new DirectiveError('INVALID_RULE', `"to" ${oneOf(...STRATEGY_NAMES)(to) ?? ''}`, coordinate);
  const known = argumentsOfStrategy(name);
  for (const argument of Object.keys(PARAMETERS)) {
    // An argument that the strategy ignores would suggest protection that is not there.
    if (isGiven(args[argument]) && !Object.hasOwn(known, argument)) {
      throw new DirectiveError('INVALID_RULE', `@minimize(to: ${name}) takes no "${argument}"`, coordinate);
    }
  }
  return {
    ...readStrategy(name, args, coordinate),
    unless: isGiven(args.unless) ? readAlternatives(args.unless, 'unless', coordinate) : [],
  };
}
