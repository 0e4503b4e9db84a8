/** A new kind of data set of `@franca/data`: files of labelled pixels, one record after another, to be replaced. */
import { readText } from '../checks/workspace';
import { changeset, type Edit } from './edits';
import { Refusal } from './errors';
import type { Name } from './name';

const SOURCES = 'packages/data/src/sources';

export function sourceTemplate(name: Name): Edit[] {
  const { kebab, camel } = name;
  if (readText(`${SOURCES}/kinds.ts`).includes(`\n  | '${kebab}'`))
    throw new Refusal(`${kebab} is taken: ${SOURCES}/kinds.ts names it`);
  return [
    { path: `${SOURCES}/${kebab}.ts`, text: sourceText(name) },
    { path: `${SOURCES}/${kebab}.test.ts`, text: testText(name) },
    {
      path: `${SOURCES}/kinds.ts`,
      before: 'import type { SourceKind }',
      text: `import { ${camel}Kind } from './${kebab}';\n`,
    },
    { path: `${SOURCES}/kinds.ts`, before: `\n  | 'splits'`, text: `\n  | '${kebab}'` },
    { path: `${SOURCES}/kinds.ts`, before: '  splits: splitsKind', text: `  '${kebab}': ${camel}Kind,\n` },
    { path: `${SOURCES}/kinds.test.ts`, before: '  splits: {\n', text: exampleText(name) },
    {
      path: 'packages/data/README.md',
      before: '\n| `splits` ',
      text: `\n| \`${kebab}\` | a \`.${kebab}\` file: records of a label and 8 x 8 pixels | always | held out |`,
    },
    changeset(`data-${kebab}`, '@franca/data', `A kind of data set: \`${kebab}\`, a file of labelled pixels.`),
  ];
}

const sourceText = ({ kebab, camel, words }: Name): string => `/**
 * A ${words} file: records of a label byte and 8 x 8 RGB pixels, one after another, without a header. Written by \`npm run new -- source ${kebab}\`:
 * replace this paragraph, the signs by which data of this kind is known, and how it is read. Files are not to be believed: check lengths before
 * anything is allocated.
 */
import path from 'node:path';
import { DataError } from '../errors';
import { openLocalFile } from '../files/byte-file';
import type { ImageSource } from '../images/image-source';
import { classLabels, sortedClasses } from './labels';
import type { SourceKind } from './source-kind';

const SIDE = 8;
const PIXEL_BYTES = 3 * SIDE * SIDE;
const RECORD_BYTES = 1 + PIXEL_BYTES;

export const ${camel}Kind: SourceKind<'${kebab}'> = {
  kind: '${kebab}',
  says: 'a .${kebab} file',
  labels: 'always',
  prefixed: true,
  ofFile: (name) => (name.endsWith('.${kebab}') ? 'ends in .${kebab}' : undefined),
  open: (target, { classes }) => ${camel}Source(target, classes),
  validation: 'held out',
};

/**
 * Opens a file; \`classes\` fixes the class list.
 * @throws DataError not-found, empty-source, damaged-file when it is not a whole number of records
 */
export async function ${camel}Source(file: string, classes?: readonly string[]): Promise<ImageSource> {
  const bytes = await openLocalFile(file);
  if (bytes.size === 0) throw new DataError('empty-source', \`\${file} has no images\`);
  if (bytes.size % RECORD_BYTES !== 0)
    throw new DataError('damaged-file', \`\${file}: \${bytes.size} bytes, not a multiple of \${RECORD_BYTES}\`);
  const length = bytes.size / RECORD_BYTES;
  const labels: string[] = [];
  for (let index = 0; index < length; index++) labels.push(String((await bytes.read(index * RECORD_BYTES, 1))[0]));
  return {
    name: \`${kebab} \${file}\`,
    length,
    ...classLabels(labels, classes ?? sortedClasses(labels)),
    key: (index) => \`\${path.basename(file)}#\${index}\`,
    version: (index) => \`\${bytes.version}; record \${index}\`,
    read: async (index) => {
      const data = await bytes.read(index * RECORD_BYTES + 1, PIXEL_BYTES);
      return { pixels: { width: SIDE, height: SIDE, channels: 3, data } };
    },
  };
}
`;

const testText = ({ kebab, camel }: Name): string => `import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { keysOf, labelsOf, scratchFolder, writeFiles } from '../../test/scratch';
import { ${camel}Source } from './${kebab}';

let root: string;
beforeEach(() => {
  root = scratchFolder();
});
const record = (label: number): number[] => [label, ...new Array(3 * 8 * 8).fill(label)];
const open = (bytes: readonly number[], classes?: readonly string[]): ReturnType<typeof ${camel}Source> => {
  writeFiles(root, { 'a.${kebab}': Uint8Array.from(bytes) });
  return ${camel}Source(path.join(root, 'a.${kebab}'), classes);
};

test('every record is an image with a label', async () => {
  const source = await open([...record(7), ...record(4)]);
  expect([keysOf(source), source.classes, labelsOf(source)]).toEqual([
    ['a.${kebab}#0', 'a.${kebab}#1'],
    ['4', '7'],
    [1, 0],
  ]);
  expect(await source.read(1)).toMatchObject({ pixels: { width: 8, height: 8, data: new Uint8Array(192).fill(4) } });
});

test('a class list that is given decides the labels', async () => {
  expect(labelsOf(await open([...record(7), ...record(4)], ['7']))).toEqual([0, undefined]);
});

test('a file that is empty, cut short or not there is refused', async () => {
  await expect(open([])).rejects.toMatchObject({ code: 'empty-source' });
  await expect(open(record(7).slice(1))).rejects.toMatchObject({ code: 'damaged-file' });
  await expect(${camel}Source(path.join(root, 'none.${kebab}'))).rejects.toMatchObject({ code: 'not-found' });
});
`;

const exampleText = ({ kebab }: Name): string => `  '${kebab}': {
    write: async () => {
      const record = (label: number): number[] => [label, ...new Array(3 * 8 * 8).fill(label)];
      writeFiles(root, { 'a.${kebab}': Uint8Array.from([...record(4), ...record(7)]) });
      return { spec: \`\${root}/a.${kebab}\` };
    },
    train: ['a.${kebab}#0', 'a.${kebab}#1'],
    labels: [0, 1],
  },
`;
