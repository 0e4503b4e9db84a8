/**
 * ARCHITECTURE.md: every package from the bottom layer up, in each its folders from the lowest up, in each its files. What is said about
 * a file is the first sentence of its header; about a folder, that of the file named like it, or its line in folder-signs.ts.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { headerOf } from '../checks/conventions';
import { reachableFolders } from '../checks/folder-circles';
import { LAYERS } from '../checks/layers';
import { sourceFiles } from '../checks/source-imports';
import { publishedWorkspaces, readText, root, type Workspace } from '../checks/workspace';
import { FOLDER_SIGNS } from './folder-signs';

const INTRODUCTION = `# Architecture

Where everything is. Packages stand from the bottom layer up and import downwards only; the folders of a package likewise. What is said
here is the first sentence of the file itself; \`npm run map\` writes this page and \`npm run check documents\` compares it. Not listed: tests,
which lie beside what they test; \`index.ts\`, a package's public names; \`errors.ts\`, its class of errors.`;

const LONGEST = 110;

export function architecture(): string {
  const workspaces = publishedWorkspaces();
  const ordered = [...LAYERS.flat().map((name) => `packages/${name}`), ...workspaces.map(({ folder }) => folder)];
  const sections = [...new Set(ordered)].flatMap((folder) =>
    workspaces.filter((own) => own.folder === folder).map(section),
  );
  const around = Object.keys(FOLDER_SIGNS).filter((folder) => !folder.includes('/'));
  const rest = around.map((folder) => `* [\`${folder}/\`](${folder}): ${FOLDER_SIGNS[folder]}`);
  return `${[INTRODUCTION, ...sections, `## Around the packages\n\n${rest.join('\n')}`].join('\n\n')}\n`;
}

/** Folders that have no sign, and signs that hang on no door. */
export function signProblems(): string[] {
  const folders = publishedWorkspaces().flatMap(({ folder }) => foldersOf(`${folder}/src`));
  const nameless = folders.filter((folder) => mainFile(folder) === undefined && !FOLDER_SIGNS[folder]);
  const stale = Object.keys(FOLDER_SIGNS).filter(
    (folder) => !existsSync(join(root, folder)) || (folder.includes('/') && mainFile(folder) !== undefined),
  );
  return [
    ...nameless.map((folder) => `scripts/map/folder-signs.ts: say in a line what is in ${folder}`),
    ...stale.map(
      (folder) => `scripts/map/folder-signs.ts: ${folder} is gone, or has a file of its name that speaks for it`,
    ),
  ];
}

function section({ folder, manifest }: Workspace): string {
  const source = `${folder}/src`;
  const files = ownFiles(source).map((file) => `* ${link(source, file)}${after(signOf(readText(file)))}`);
  const folders = foldersOf(source).map((own) => {
    const names = ownFiles(own).map((file) => `\`${file.slice(own.length + 1, -'.ts'.length)}\``);
    const main = mainFile(own);
    const sign = main ? signOf(readText(main)) : FOLDER_SIGNS[own];
    return `* ${link(source, `${own}/`)}${after(sign)}<br>${names.join(' ')}`;
  });
  return `## [\`${manifest.name}\`](${folder})\n\n${manifest.description}.\n\n${[...folders, ...files].join('\n')}`;
}

const link = (from: string, path: string): string => `[\`${path.slice(from.length + 1)}\`](${path.replace(/\/$/, '')})`;
const after = (sign: string | undefined): string => (sign ? `: ${sign}` : '');

/** All folders below `folder` that hold sources; of two beside each other the one that imports less comes first, below each its own. */
function foldersOf(folder: string): string[] {
  const files = sources(folder);
  const below = new Set(
    files.flatMap((file) =>
      file
        .slice(folder.length + 1)
        .split('/')
        .slice(0, -1)
        .slice(0, 1),
    ),
  );
  const reach = reachableFolders(folder);
  const weight = (own: string): number => reach.get(own)?.size ?? 0;
  return [...below]
    .map((name) => `${folder}/${name}`)
    .sort((a, b) => weight(a) - weight(b) || a.localeCompare(b))
    .flatMap((own) => [own, ...foldersOf(own)]);
}

/** `knn/knn.ts` of `knn/`. */
function mainFile(folder: string): string | undefined {
  const file = `${folder}/${folder.slice(folder.lastIndexOf('/') + 1)}.ts`;
  return existsSync(join(root, file)) ? file : undefined;
}

/** Files that lie in `folder` itself. */
const ownFiles = (folder: string): string[] =>
  sources(folder).filter((file) => !file.slice(folder.length + 1).includes('/') && !/\/(index|errors)\.ts$/.test(file));

const sources = (folder: string): string[] => sourceFiles(folder).filter((file) => !file.endsWith('.test.ts'));

/** The first sentence of a file's header; a long one as far as its last clause that fits. */
export function signOf(text: string): string | undefined {
  const paragraph = headerOf(text)
    ?.split(/\n\s*\n/)[0]
    ?.replace(/\s+/g, ' ');
  const sentence =
    paragraph &&
    /^.*?(?:(?<!\be\.g|\bi\.e|\bal|\bvs|\bFig|\bEq|\bSec)\.(?= |$)|$)/.exec(paragraph)?.[0].replace(/[.:]$/, '');
  if (!sentence || sentence.length <= LONGEST) return sentence;
  const ends = [...sentence.slice(0, LONGEST).matchAll(/[:;,] | \(/g)].map(({ index }) => sentence.slice(0, index));
  return ends.findLast(isClosed) ?? `${sentence.slice(0, sentence.lastIndexOf(' ', LONGEST))} ...`;
}

/** Every bracket and every quoted piece of code that was opened ends here too. */
function isClosed(text: string): boolean {
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  return count(/[([{]/g) === count(/[)\]}]/g) && count(/`/g) % 2 === 0;
}
