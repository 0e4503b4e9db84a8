import { expect, test } from 'vitest';
import { chunkBlockName, flattenBlockName } from './block-names';

test('ViT-B in 4 chunks has blocks 0-2, 3-5, 6-8, 9-11', () => {
  const names = Array.from({ length: 12 }, (_, i) => chunkBlockName(`blocks.${i}.norm1.weight`, 12, 4));
  const chunks = names.map((name) => /^blocks\.(\d+)\.(\d+)\.norm1\.weight$/.exec(name)!.slice(1).map(Number));
  expect(chunks).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3].map((chunk, i) => [chunk, i]));
});

test('flattening undoes chunking, below any prefix', () => {
  for (const name of ['blocks.0.ls1.gamma', 'teacher.backbone.blocks.39.mlp.w12.weight']) {
    expect(flattenBlockName(chunkBlockName(name, 40, 4))).toBe(name);
  }
});

test('other names, and names that are already in the form, stay', () => {
  for (const name of ['cls_token', 'dino_head.mlps.0.0.weight', 'subblocks.1.2.x', 'blocks.3.norm1.bias']) {
    expect(flattenBlockName(name)).toBe(name);
  }
  for (const name of ['cls_token', 'blocks.1.3.norm1.bias', 'mlps.0.0.weight'])
    expect(chunkBlockName(name, 12, 4)).toBe(name);
});

test('a depth that the chunks do not divide follows the official rule', () => {
  expect(chunkBlockName('blocks.6.x', 7, 3)).toBe('blocks.3.6.x');
  expect(chunkBlockName('blocks.5.x', 7, 3)).toBe('blocks.2.5.x');
});

test('more chunks than blocks are refused', () => {
  expect(() => chunkBlockName('blocks.1.x', 3, 4)).toThrow(/3 blocks do not make 4 chunks/);
});
