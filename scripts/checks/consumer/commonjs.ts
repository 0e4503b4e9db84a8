/** CommonJS programs get the packages too: Node from 20.19 on can `require` modules that wait for nothing, and these wait for nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Published } from '../publish';
import { run } from '../workspace';

export async function checkCommonJs({ tarballs, project }: Published): Promise<string[]> {
  const entries = tarballs.flatMap(({ manifest }) =>
    Object.keys(manifest.exports ?? {}).map((entry) => `${manifest.name}${entry.slice(1)}`),
  );
  const program = `
    for (const entry of ${JSON.stringify(entries)}) {
      try {
        if (Object.keys(require(entry)).length === 0) console.log(entry + ': require gives nothing');
      } catch (error) {
        console.log(entry + ': require: ' + error.message);
      }
    }`;
  writeFileSync(join(project, 'entries.cjs'), program);
  const { ok, output } = await run(process.execPath, ['--no-warnings', 'entries.cjs'], { cwd: project });
  const problems = output.split('\n').filter(Boolean);
  return ok ? problems : [`entries.cjs: ${problems.join('\n')}`];
}
