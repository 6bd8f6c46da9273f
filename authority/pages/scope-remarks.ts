import type { Policy, ScopePolicy } from '@behalf/policy';
import { dayInWords } from './formats.js';
import type { RemarkMessages } from './messages/index.js';

/** The remarks beside a scope's sentence, in the order of the page. @param policy in the language of the words */
export function remarksOn(scope: ScopePolicy, policy: Policy, words: RemarkMessages): readonly string[] {
  return [
    ...(scope.access === 'write' ? [words.changes] : []),
    ...(scope.sensitivity === 'sensitive' ? [words.sensitive] : []),
    ...deprecation(scope, policy, words),
  ];
}

function deprecation({ deprecated }: ScopePolicy, policy: Policy, words: RemarkMessages): readonly string[] {
  if (deprecated === undefined) return [];
  const { until, replacedBy = [] } = deprecated;
  const end = words.ends(until === undefined ? undefined : dayInWords(until, policy.language));
  const sentences = replacedBy.flatMap((name) => policy.scopes.get(name)?.sentence ?? []);
  return [sentences.length === 0 ? end : `${end} ${words.replacedBy(sentences)}`];
}
