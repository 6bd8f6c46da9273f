/** Words by which the name of an argument says how it filters, at either end of what it filters by. */
const OPERATORS: ReadonlySet<string> = new Set(
  `gt gte lt lte eq ne neq equal equals not in nin any all is has contains contain includes starts ends start end with like ilike
   matches search exists null min max minimum maximum from to since until before after between range above below over under than
   greater less at most least by filter where order sort asc desc ascending descending nulls first last`.split(
    /\s+/,
  ),
);

/** As many at each end as any name has. */
const MAX_OPERATORS = 3;

const SORT_WORDS: ReadonlySet<string> = new Set(['order', 'ordering', 'sort', 'sorting']);

/** `minBalance_gte`, `MIN_BALANCE`: min, balance, gte. */
function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .split('_')
    .filter((word) => word !== '');
}

/** The same for two spellings of a name. */
export function plainName(name: string): string {
  return wordsOf(name).join('');
}

/**
 * What an argument, input field or enum value may filter by: its plain name, and what is left of it without the words at its ends
 * that say how. The longest is first.
 */
export function filteredNames(name: string): readonly string[] {
  const words = wordsOf(name);
  const names = new Set<string>();
  for (let start = 0; start <= MAX_OPERATORS; start += 1) {
    if (start > 0 && !OPERATORS.has(words[start - 1] ?? '')) break;
    for (let cut = 0; cut <= MAX_OPERATORS; cut += 1) {
      const end = words.length - cut;
      if (cut > 0 && !OPERATORS.has(words[end] ?? '')) break;
      if (end > start) names.add(words.slice(start, end).join(''));
    }
  }
  return [...names].sort((a, b) => b.length - a.length);
}

/** Whether a name is that of a sort order: `orderBy`, `AccountSort`. */
export function namesOrder(name: string): boolean {
  return wordsOf(name).some((word) => SORT_WORDS.has(word));
}
