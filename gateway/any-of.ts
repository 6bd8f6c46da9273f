/** Whether one is true, without waiting for the others. */
export function anyOf(checks: readonly Promise<boolean>[]): Promise<boolean> {
  const passing = checks.map(async (check) => {
    if (!(await check)) throw new Error('not this one');
  });
  return Promise.any(passing).then(
    () => true,
    () => false,
  );
}
