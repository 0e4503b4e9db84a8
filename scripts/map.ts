/** `npm run map`: writes ARCHITECTURE.md, and the picture of the packages in README.md, as the sources have it now. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './checks/workspace';
import { architecture } from './map/architecture';
import { readmeWithGraph } from './map/package-graph';

writeFileSync(join(root, 'ARCHITECTURE.md'), architecture());
writeFileSync(join(root, 'README.md'), readmeWithGraph());
