import { DirectiveError } from '../../errors.js';
import type { Arguments } from '../../specification/read-arguments.js';
import { buckets } from '../generalize/buckets.js';
import type { BucketsParameters } from '../generalize/buckets.js';
import { decimals } from '../generalize/decimals.js';
import type { DecimalsParameters } from '../generalize/decimals.js';
import type { GeneralizationDefinition } from '../generalize/generalization.js';
import { geohash } from '../generalize/geohash.js';
import type { GeohashParameters } from '../generalize/geohash.js';
import { h3 } from '../generalize/h3.js';
import type { H3Parameters } from '../generalize/h3.js';
import { hierarchy } from '../generalize/hierarchy.js';
import type { HierarchyParameters } from '../generalize/hierarchy.js';
import { ipPrefix } from '../generalize/ip-prefix.js';
import type { IpPrefixParameters } from '../generalize/ip-prefix.js';
import { part } from '../generalize/part.js';
import type { PartParameters } from '../generalize/part.js';
import { step } from '../generalize/step.js';
import type { StepParameters } from '../generalize/step.js';
import { unit } from '../generalize/unit.js';
import type { UnitParameters } from '../generalize/unit.js';
import { isGiven } from '../parameters.js';
import type { MinimizedField, Strategy, StrategyComparison, StrategyDefinition } from '../strategy.js';

/** The parameters of each way to generalize. */
interface ParametersOf {
  readonly step: StepParameters;
  readonly unit: UnitParameters;
  readonly decimals: DecimalsParameters;
  readonly buckets: BucketsParameters;
  readonly ipPrefix: IpPrefixParameters;
  readonly part: PartParameters;
  readonly geohash: GeohashParameters;
  readonly h3: H3Parameters;
  readonly hierarchy: HierarchyParameters;
}

type Way = keyof ParametersOf;

export type GeneralizeParameters<Ways extends Way = Way> = {
  [Name in Ways]: { readonly by: Name } & ParametersOf[Name];
}[Ways];

const ways: { readonly [Name in Way]: GeneralizationDefinition<ParametersOf[Name]> } = {
  step,
  unit,
  decimals,
  buckets,
  ipPrefix,
  part,
  geohash,
  h3,
  hierarchy,
};

/** The arguments that choose a way; an address can be of either kind. */
const CHOOSING: Readonly<Record<string, Way>> = {
  step: 'step',
  unit: 'unit',
  decimals: 'decimals',
  buckets: 'buckets',
  ipv4: 'ipPrefix',
  ipv6: 'ipPrefix',
  part: 'part',
  geohash: 'geohash',
  h3: 'h3',
  hierarchy: 'hierarchy',
};

/** A larger kind in place of a value: a range, a time, an area, a domain. */
export const generalize: StrategyDefinition<GeneralizeParameters> = {
  arguments: Object.assign({}, ...Object.values(ways).map((way) => way.arguments)) as Record<string, string>,
  read: (args, coordinate) => {
    const by = chosen(args, coordinate);
    for (const way of Object.values(ways)) {
      if (way === ways[by]) continue;
      const other = Object.keys(way.arguments).find((name) => isGiven(args[name]));
      if (other !== undefined) refuse(`"${other}" does not go with "${argumentOf(by)}"`, coordinate);
    }
    const parameters: object = ways[by].read(args, coordinate);
    return { by, ...parameters } as GeneralizeParameters;
  },
  fitsEnums: ({ by }) => ways[by].fitsEnums === true,
  compile: (parameters, field) => compileBy(parameters, field),
  compare: (before, after) => (before.by === after.by ? compareBy(before, after) : 'incomparable'),
};

function chosen(args: Arguments, coordinate: string): Way {
  const given = new Set(
    Object.entries(CHOOSING).flatMap(([name, way]) => (isGiven(args[name]) ? [way] : [])),
  );
  const [way, ...more] = given;
  if (way !== undefined && more.length === 0) return way;
  return refuse(`@minimize(to: GENERALIZE) takes one of ${Object.keys(CHOOSING).join(', ')}`, coordinate);
}

function argumentOf(by: Way): string {
  return Object.entries(CHOOSING).find(([, way]) => way === by)?.[0] ?? by;
}

function refuse(problem: string, coordinate: string): never {
  throw new DirectiveError('INVALID_RULE', problem, coordinate);
}

function compileBy<Name extends Way>(
  parameters: GeneralizeParameters<Name>,
  field: MinimizedField,
): Strategy {
  return ways[parameters.by].compile(parameters, field);
}

function compareBy<Name extends Way>(
  before: GeneralizeParameters<Name>,
  after: GeneralizeParameters<Name>,
): StrategyComparison {
  return ways[before.by].compare(before, after);
}
