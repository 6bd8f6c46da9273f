import { writeFile } from 'node:fs/promises';
import { projectPath } from '@behalf/example/internal';
import { references } from './index.js';

// `npm run docs`: writes the pages of docs/reference that are made of the code.
for (const [name, make] of Object.entries(references))
  await writeFile(projectPath('docs/reference', name), await make());
