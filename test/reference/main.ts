import { writeFile } from 'node:fs/promises';
import { projectPath } from '@behalf/example/internal';
import { references } from './index.js';

// `npm run docs`: writes the generated pages of docs/reference.
for (const [name, make] of Object.entries(references))
  await writeFile(projectPath('docs/reference', name), await make());
