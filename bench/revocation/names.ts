export const AUDIENCE = 'https://api.bank.example';
export const GATEWAY_ISSUER = 'http://gateway.bench';
export const CLIENT_ID = 'bench-app';
