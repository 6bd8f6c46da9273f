import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { listen, ListenError } from '../../http/index.js';

describe('listen', () => {
  const servers = [createServer(), createServer()] as const;

  afterEach(() => {
    for (const server of servers) server.close();
  });

  it('tells the port that the system chose', async () => {
    const { origin, port } = await listen(servers[0], '127.0.0.1', 0);
    expect(port).toBeGreaterThan(0);
    expect(origin).toBe(`http://127.0.0.1:${port}`);
  });

  it('writes an IPv6 address in brackets', async () => {
    const { origin, port } = await listen(servers[0], '::1', 0);
    expect(origin).toBe(`http://[::1]:${port}`);
  });

  it('names the address that is taken', async () => {
    const { port } = await listen(servers[0], '127.0.0.1', 0);
    const attempt = listen(servers[1], '127.0.0.1', port);
    await expect(attempt).rejects.toThrow(ListenError);
    await expect(attempt).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `cannot listen on 127.0.0.1, port ${port}: the port is taken`,
    });
  });

  it('refuses an address of another machine', async () => {
    await expect(listen(servers[0], '192.0.2.1', 0)).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  });

  it('leaves later errors to others', async () => {
    await listen(servers[0], '127.0.0.1', 0);
    expect(servers[0].listenerCount('error')).toBe(0);
  });
});
