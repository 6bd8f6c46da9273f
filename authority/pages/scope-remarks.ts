import type { Policy, ScopePolicy, Sensitivity } from '@behalf/policy';

const OF_SENSITIVITY: Readonly<Record<Sensitivity, string | undefined>> = {
  low: undefined,
  personal: undefined,
  sensitive: 'Sensitive: in the wrong hands this can do you harm.',
};

/** The remarks beside a scope's sentence, in the order of the page. */
export function remarksOn(scope: ScopePolicy, policy: Policy): readonly string[] {
  const sensitivity = OF_SENSITIVITY[scope.sensitivity];
  return [
    ...(scope.access === 'write' ? ['Lets it change something in your name, not only look.'] : []),
    ...(sensitivity === undefined ? [] : [sensitivity]),
    ...deprecation(scope, policy),
  ];
}

function deprecation({ deprecated }: ScopePolicy, policy: Policy): readonly string[] {
  if (deprecated === undefined) return [];
  const { until, replacedBy = [] } = deprecated;
  const end = until === undefined ? 'This permission is being given up' : `This permission ends on ${until}`;
  const sentences = replacedBy.flatMap((name) => policy.scopes.get(name)?.sentence ?? []);
  return [sentences.length === 0 ? `${end}.` : `${end}. In its place comes: ${sentences.join('; ')}.`];
}
