// An issuer of access tokens (RFC 9068): a key set, and a token with the claims that the request's body has.
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const issuer = 'http://127.0.0.1:4003';
const { privateKey, publicKey } = await generateKeyPair('ES256');
const keys = [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256', use: 'sig' }];

createServer(async (request, response) => {
  if (request.url === '/jwks') {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
    return;
  }
  const token = await new SignJWT({ client_id: 'family-app', ...JSON.parse(await text(request)) })
    .setProtectedHeader({ alg: 'ES256', kid: '1', typ: 'at+jwt' })
    .setIssuer(issuer)
    .setAudience('https://api.example/graphql')
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('1 hour')
    .sign(privateKey);
  response.end(token);
}).listen(4003, '127.0.0.1', () => console.log(`issuer: ${issuer}`));
