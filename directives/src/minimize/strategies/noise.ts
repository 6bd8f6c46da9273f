import { DirectiveError } from '../../errors.js';
import { oneOf } from '../../option-checks.js';
import type { Arguments } from '../../specification/read-arguments.js';
import { withoutUndefined } from '../../without-undefined.js';
import { decimalOf } from '../decimal.js';
import { DISTRIBUTIONS, drawNoise, KeyedBits } from '../discrete-noise.js';
import type { Distribution, Ratio } from '../discrete-noise.js';
import { addNoise, addSteps, noiseGrid } from '../noise.js';
import { isGiven, readPositive, readStep } from '../parameters.js';
import { byDetail, isNumber, needsType, purposesText } from '../strategy.js';
import type {
  MinimizationContext,
  MinimizedField,
  Strategy,
  StrategyComparison,
  StrategyDefinition,
} from '../strategy.js';

/** Moves a number by at most `spread`, to a multiple of `step`; by default of a thousandth of the spread. */
interface UniformParameters {
  readonly spread: number;
  readonly step?: number;
}

/** Moves a number to a multiple of `step`, most often by about `scale`. */
interface ShapedParameters {
  readonly distribution: Distribution;
  readonly scale: number;
  readonly step: number;
}

export type NoiseParameters = UniformParameters | ShapedParameters;

/** A number moved by a keyed amount, always the same for the same value of the same entity. */
export const noise: StrategyDefinition<NoiseParameters> = {
  arguments: { spread: 'Float', step: 'Float', distribution: 'behalf__Distribution', scale: 'Float' },
  read: (args, coordinate) =>
    isGiven(args.distribution) || isGiven(args.scale)
      ? readShaped(args, coordinate)
      : withoutUndefined({
          spread: readPositive(args.spread, 'spread', coordinate),
          step: isGiven(args.step) ? readStep(args.step, coordinate) : undefined,
        }),
  compile: (parameters, field) => {
    needsType(isNumber(field.typeName), 'NOISE', 'Int or Float', field.coordinate);
    return 'spread' in parameters ? compileUniform(parameters, field) : compileShaped(parameters, field);
  },
  compare: (before, after) => {
    if ('spread' in before) return 'spread' in after ? compareUniform(before, after) : 'incomparable';
    if ('spread' in after || before.distribution !== after.distribution) return 'incomparable';
    if (before.step === after.step) return byDetail(-before.scale, -after.scale);
    return 'incomparable';
  },
};

function readShaped(args: Arguments, coordinate: string): ShapedParameters {
  if (isGiven(args.spread))
    refuse('"spread" does not go with "distribution": "scale" says how far', coordinate);
  const problem = oneOf(...DISTRIBUTIONS)(args.distribution);
  if (problem !== undefined) refuse(`"distribution" ${problem}`, coordinate);
  return {
    distribution: args.distribution as Distribution,
    scale: readPositive(args.scale, 'scale', coordinate),
    step: readStep(args.step, coordinate),
  };
}

function refuse(problem: string, coordinate: string): never {
  throw new DirectiveError('INVALID_RULE', problem, coordinate);
}

/** What noise depends on: equal values of two entities get different noise, so that it cannot be learned from one that is known. */
function seedParts(context: MinimizationContext, value: unknown): readonly string[] {
  return [purposesText(context), context.entity ?? context.subject ?? '', String(value)];
}

function compileUniform({ spread, step }: UniformParameters, field: MinimizedField): Strategy {
  const grid = noiseGrid(spread, step, field.typeName === 'Int');
  if (grid === undefined) {
    return refuse(
      'NOISE needs a "spread" of at least one and a half steps and at most 2^31; steps of an Int are whole',
      field.coordinate,
    );
  }
  const digest = field.keyedDigest();
  return (number, context) => addNoise(number, grid, digest(context.clientId, ...seedParts(context, number)));
}

/** With a smaller scale, most values would stay as they are; with a larger one, a double could not tell the steps apart. */
const SCALES = { least: 0.5, most: 2 ** 31 } as const;

function compileShaped(parameters: ShapedParameters, field: MinimizedField): Strategy {
  const { coordinate, typeName } = field;
  const [scale, step] = [decimalOf(parameters.scale), decimalOf(parameters.step)];
  const inSteps = parameters.scale / parameters.step;
  const isUsable = inSteps >= SCALES.least && inSteps <= SCALES.most;
  if (scale === undefined || step === undefined || !isUsable || (typeName === 'Int' && step.scale > 0)) {
    return refuse(
      'NOISE needs a "scale" of at least half a step and at most 2^31 steps; steps of an Int are whole',
      coordinate,
    );
  }
  const ratio: Ratio = {
    numerator: scale.digits * 10n ** BigInt(step.scale),
    denominator: step.digits * 10n ** BigInt(scale.scale),
  };
  const digest = field.keyedDigest();
  return (number, context) => {
    const bits = new KeyedBits(digest(context.clientId, ...seedParts(context, number)), Buffer.alloc(0));
    return addSteps(
      number,
      { step: parameters.step, isInt: typeName === 'Int' },
      drawNoise(parameters.distribution, ratio, bits),
    );
  };
}

function compareUniform(before: UniformParameters, after: UniformParameters): StrategyComparison {
  if (after.spread < before.spread) return 'weaker';
  // On another grid, some values become distinguishable and others no longer are. Without a step, the spread decides.
  return isOneGrid(before, after) ? byDetail(-before.spread, -after.spread) : 'incomparable';
}

function isOneGrid(before: UniformParameters, after: UniformParameters): boolean {
  return before.step === after.step && (before.step !== undefined || before.spread === after.spread);
}
