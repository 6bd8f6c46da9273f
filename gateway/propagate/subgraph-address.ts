/**
 * Why a subgraph cannot be called at an address; undefined if it can. Plain `http:` is allowed, because networks of services often
 * bring their own encryption.
 */
export function subgraphAddressProblem(address: string): string | undefined {
  if (!URL.canParse(address)) return 'must be an absolute address';
  const { protocol, username, password, hash } = new URL(address);
  // `localhost:4001` is an address with the scheme `localhost`.
  if (protocol !== 'http:' && protocol !== 'https:')
    return 'must be an http: or https: address, such as http://localhost:4001/graphql';
  if (username !== '' || password !== '') return 'must have no user information';
  return hash === '' ? undefined : 'must have no fragment';
}
