import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|mjs)$/.test(path) && !/(^|\/)(node_modules|dist)\/|\.test\.ts$/.test(path))
    .map((path) => join(folder, path));

/** A command of this project or of its set-up in a template, with a value among its words. */
const COMMAND =
  /(?:franca-train (?:[a-z]+ |-)|npx |npm (?:run|exec|install) |(?<!-)node [\w/.-]+ )[^`'"\n;]*?\$\{(?!shell)[^}]*\}/;

test.each([
  ['`continue with: franca-train pretrain --resume --out <out>`', true],
  ['`franca-train eval -w run <x>`', true],
  ['`franca-train pretrain --resume --out <shellWord(out)>`', false],
  ['`franca-train: <error.message>`', false],
  ['`onnxruntime-node has no provider <provider>`', false],
])('in %s the pattern finds what it is made for: %s', (text, found) => {
  expect(COMMAND.test(text.replace('<', '$'.concat('{')).replace('>', '}'))).toBe(found);
});

test('commands that are printed quote the values in them', () => {
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/src`);
  const found = ['apps/train/src', ...packages].flatMap(sources).flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .flatMap((line, at) =>
        COMMAND.test(line) && !line.trim().startsWith('*') ? [`${path}:${at + 1}: ${line.trim()}`] : [],
      ),
  );
  expect(found).toEqual([]);
});
