import { errorReference, errorRegistries } from './error-reference.js';

/**
 * `behalf errors [CODE]`: the meaning of a code; without one, the whole page.
 *
 * @returns the text to print; undefined for a code that Behalf does not have
 */
export function explainError(code: string | undefined): string | undefined {
  if (code === undefined) return errorReference();
  const found = errorRegistries.flatMap(({ title, met, codes }) => {
    const known = Object.entries(codes).find(([name]) => name.toLowerCase() === code.toLowerCase());
    if (known === undefined) return [];
    const [name, { description, since, status }] = known;
    return [
      [
        `${name} (${title.toLowerCase()}, since ${since})`,
        `  ${description}`,
        ...(status === undefined ? [] : [`  HTTP status ${status}`]),
        `  Met: ${met.replaceAll('`', '')}`,
      ].join('\n'),
    ];
  });
  return found.length === 0 ? undefined : `${found.join('\n')}\n`;
}
