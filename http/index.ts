export { AddressList, forwardedAddress, networkOf } from './addresses.js';
