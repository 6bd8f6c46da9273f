export interface Town {
  readonly name: string;
  /** The first three digits of its postal codes. */
  readonly postalPrefix: string;
  readonly latitude: number;
  readonly longitude: number;
}

/** Where the bank's customers live and shop. */
export const TOWNS: readonly Town[] = [
  { name: 'Helsinki', postalPrefix: '001', latitude: 60.1699, longitude: 24.9384 },
  { name: 'Espoo', postalPrefix: '021', latitude: 60.2055, longitude: 24.6559 },
  { name: 'Vantaa', postalPrefix: '013', latitude: 60.2934, longitude: 25.0378 },
  { name: 'Tampere', postalPrefix: '331', latitude: 61.4978, longitude: 23.761 },
  { name: 'Turku', postalPrefix: '201', latitude: 60.4518, longitude: 22.2666 },
  { name: 'Oulu', postalPrefix: '901', latitude: 65.0121, longitude: 25.4651 },
  { name: 'Jyväskylä', postalPrefix: '401', latitude: 62.2426, longitude: 25.7473 },
  { name: 'Lahti', postalPrefix: '151', latitude: 60.9827, longitude: 25.6615 },
  { name: 'Kuopio', postalPrefix: '701', latitude: 62.8924, longitude: 27.677 },
  { name: 'Porvoo', postalPrefix: '061', latitude: 60.3923, longitude: 25.6653 },
  { name: 'Vaasa', postalPrefix: '651', latitude: 63.0951, longitude: 21.6165 },
  { name: 'Rauma', postalPrefix: '261', latitude: 61.1272, longitude: 21.5113 },
];
