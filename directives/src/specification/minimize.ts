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

/** One `@minimize`: a strategy with its checked arguments. */
export type MinimizeStatement = MinimizationStrategy & {
  /** It applies while this level is in force. Undefined: by default. */
  readonly level?: string;
  /** A delegation that holds one of these is exempt from the default; empty: nobody is. */
  readonly unless: Alternatives;
};

/** Of all strategies, by name, with their types. */
const PARAMETERS: Readonly<Record<string, string>> = Object.assign(
  {},
  ...STRATEGY_NAMES.map(argumentsOfStrategy),
) as Record<string, string>;

/** A level is named like a GraphQL name, with hyphens: `*` and dots have a meaning of their own. */
const LEVEL_NAME = /^[A-Za-z_][\w-]{0,63}$/;

/** `@minimize(to: …, unless: [[…]])`: returns less than the stored value. With `level`: only while that is in force. */
export const minimize = Object.freeze({
  name: 'minimize',
  identities: [BEHALF_IDENTITY],
  arguments: ['level', 'to', ...Object.keys(PARAMETERS), 'unless'],
  definition: (name) =>
    `directive @${name}(level: String, to: behalf__Strategy!, ${Object.entries(PARAMETERS)
      .map(([argument, type]) => `${argument}: ${type}`)
      .join(', ')}, unless: [[String!]!]) repeatable on FIELD_DEFINITION`,
  composed: true,
  protects: true,
  compile: (args, coordinate) =>
    ({ kind: 'minimization', statement: readStatement(args, coordinate) }) as const,
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
function readStatement(args: Arguments, coordinate: string): MinimizeStatement {
  const { level, to } = args;
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
  const strategy = readStrategy(name, args, coordinate);
  const unless = isGiven(args.unless) ? readAlternatives(args.unless, 'unless', coordinate) : [];
  if (!isGiven(level)) {
    if (name !== 'KEEP') return { ...strategy, unless };
    throw new DirectiveError('INVALID_RULE', '@minimize(to: KEEP) needs a "level"', coordinate);
  }
  if (typeof level !== 'string' || !LEVEL_NAME.test(level)) {
    throw new DirectiveError(
      'INVALID_RULE',
      '"level" must be a name of letters, digits, _ and -, at most 64 of them',
      coordinate,
    );
  }
  // A scope that lifted a level would lift what a person chose.
  if (unless.length > 0)
    throw new DirectiveError('INVALID_RULE', 'a "level" takes no "unless": no scope lifts it', coordinate);
  return { ...strategy, level, unless };
}

/** The arguments of a statement beside `level`, `to` and `unless`, without those of `MASK` that say nothing. */
export function statementParameters(statement: MinimizeStatement): readonly (readonly [string, unknown])[] {
  const { level: _level, to, unless: _unless, ...parameters } = statement;
  return Object.entries(parameters).filter(
    ([name, value]) => name !== 'by' && !(to === 'MASK' && (value === 0 || value === false)),
  );
}
