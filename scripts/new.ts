/** `npm run new -- op|loss|eval|source|package <name>`: writes a file that works, its test, and every line that makes it known. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readText, root, run } from './checks/workspace';
import { Refusal } from './new/errors';
import { newFiles } from './new/templates';

const exists = (path: string): boolean => existsSync(join(root, path));

async function makeNew(args: readonly string[]): Promise<void> {
  const files = newFiles(args, (path) => (exists(path) ? readText(path) : undefined));
  const lines = [...files.keys()].map((path) => `${exists(path) ? 'changed' : 'new    '} ${path}`);
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const sources = [...files.keys()].filter((path) => path.endsWith('.ts'));
  await succeed('biome', 'check', '--write', ...sources);
  await succeed('tsx', 'scripts/map.ts');
  console.log([...lines, 'changed ARCHITECTURE.md', '', ...whatNext(args, sources)].join('\n'));
}

async function succeed(program: string, ...args: string[]): Promise<void> {
  const { ok, output } = await run(program, args);
  if (!ok) throw new Error(`${program} ${args.join(' ')}: ${output.trim()}`);
}

function whatNext([kind]: readonly string[], sources: readonly string[]): string[] {
  const tests = sources.filter((path) => path.endsWith('.test.ts'));
  return [
    'It works as it is; headers, READMEs and the changeset say what to replace. Then:',
    ...(kind === 'package' ? ['  npm install'] : []),
    `  node scripts/setup.mjs -- npx vitest run ${tests.join(' ') || 'packages/tensor/src/ops/elementwise.test.ts'}`,
    '  npm run map && npm run check -- quick',
  ];
}

try {
  await makeNew(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
