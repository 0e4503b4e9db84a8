import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../test/in-process';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';

let folder: string;
let model: readonly string[];
beforeAll(async () => {
  folder = await temporaryFolder();
  model = ['-w', await writeTinyModel(folder), '--heads', '2', '--cache', join(folder, 'cache')];
});
afterAll(() => rm(folder, { recursive: true }));

const world = ['-d', 'world:length=4:size=32:classes=2'];

test.each([
  ['knn', ['--tries', '3'], /--tries has no effect without --shots; leave it out$/],
  ['knn', ['--rasa', 'heads.safetensors'], /--rasa has no effect on CLS tokens/],
  ['truncation', ['--rasa', 'heads.safetensors'], /--rasa has no effect on CLS tokens/],
  ['ood', ['--neighbour', '3', '--scores', 'msp'], /--neighbour has no effect without knn among --scores/],
  ['ood', ['--rasa', 'heads.safetensors'], /--rasa has no effect on CLS tokens/],
  ['ood', ['--openood', 'ood', '--split', 'val'], /--split has no effect beside --openood, whose list of known/],
  ['fine-grained', ['--dataset', 'x'], /unknown option '--dataset'/],
  ['fine-grained', ['--split', 'val'], /unknown option '--split'/],
])('eval %s %j is refused', async (task, options, message) => {
  const { status, output } = await run('eval', task, ...model, ...world, ...options);
  expect(output).toMatch(message);
  expect(status).toBe(2);
});
