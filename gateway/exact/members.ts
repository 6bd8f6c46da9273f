/**
 * Gives each member of an object, or entry of a list, another value. One called `__proto__` is a member like all others: it
 * is there, so that it is set and not the prototype.
 */
export function replaceMembers(container: object, replaced: (value: unknown) => unknown): void {
  if (Array.isArray(container)) {
    const entries = container as unknown[];
    for (let index = 0; index < entries.length; index += 1) entries[index] = replaced(entries[index]);
    return;
  }
  const members = container as Record<string, unknown>;
  for (const key of Object.keys(members)) members[key] = replaced(members[key]);
}
