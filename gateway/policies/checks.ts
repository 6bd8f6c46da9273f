import type { Check } from '@behalf/directives/internal';
import { must, withMethods } from '@behalf/directives/internal';
import { isPolicy } from '@behalf/policy/internal';

/** An option that is a policy. */
export const aPolicy: Check = (value) =>
  isPolicy(value) ? undefined : 'must be a policy that was read: await readPolicy(file)';

const anEvaluator = withMethods('a policy evaluator', ['prepare']);

/** An option that is a list of evaluators. */
export const evaluatorList: Check = (value) => {
  const words = 'a list of policy evaluators';
  if (!Array.isArray(value)) return must(words, value);
  return value.every((each) => anEvaluator(each) === undefined) ? undefined : `must be ${words}`;
};
