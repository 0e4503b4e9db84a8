/** The Markdown files: relative links lead somewhere, READMEs name what is exported, and what is written from the sources is up to date. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { architecture, signProblems } from '../map/architecture';
import { readmeWithGraph } from '../map/package-graph';
import { checkApiTables } from './api-tables';
import { readText, root, run } from './workspace';

export async function checkDocuments(): Promise<string[]> {
  const { output } = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md']);
  const files = output.split('\n').filter((file) => file && existsSync(join(root, file)));
  const written = { 'README.md': readmeWithGraph(), 'ARCHITECTURE.md': architecture() };
  const stale = Object.entries(written).filter(([file, text]) => readText(file) !== text);
  return [
    ...files.flatMap(brokenLinks),
    ...checkApiTables(),
    ...signProblems(),
    ...stale.map(([file]) => `${file}: what is written from the sources is out of date; npm run map writes it`),
  ];
}

function brokenLinks(file: string): string[] {
  const prose = readText(file).replace(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)[^)]*\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !existsSync(join(root, dirname(file), target)))
    .map((target) => `${file}: links to ${target}, which does not exist`);
}
