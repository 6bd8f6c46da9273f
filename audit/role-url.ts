/** The connection string of another role on the same database. */
export function roleUrl(databaseUrl: string, password: string, role: string): string {
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = password;
  return url.href;
}
