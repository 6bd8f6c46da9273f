export interface StoredRegistration {
  readonly displayName: string;
}
