import { Languages } from '../../../authority/language/languages.js';
import { checkPolicy, checkTranslation } from '../../../policy/index.js';
import { POLICY_FILE } from '../setup.js';

/** The tests' policy in German, as in a file. */
export const GERMAN_FILE = {
  language: 'de',
  scopes: {
    'profile:read': 'Sieh deinen Namen',
    'accounts:read': 'Sieh deine Konten und ihren Stand',
    'transactions:read': 'Sieh, was du bezahlt & bekommen hast',
    'payments:write': 'Zahle von deinen Konten',
    'consents:read': 'Sieh deine Zustimmungen',
    'consents:admin': 'Verwalte die Zustimmungen aller',
  },
  purposes: {
    budgeting: 'Um dein Budget zu planen',
    administration: 'Um Zustimmungen zu verwalten',
  },
};

/** English and German. */
export const LANGUAGES = new Languages(checkPolicy(POLICY_FILE), [checkTranslation(GERMAN_FILE)]);
