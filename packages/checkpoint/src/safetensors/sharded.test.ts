import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectError, temporaryFolder } from '../../test/support';
import { openCheckpoint } from '../open-checkpoint';
import type { TensorEntry } from '../tensor-source';
import { openSharded } from './sharded';
import { writeSafetensors } from './writer';

const folder = temporaryFolder();
const indexPath = join(folder, 'model.safetensors.index.json');
const tensor = (name: string, value: number): TensorEntry => ({
  name,
  dtype: 'f32',
  shape: [1],
  data: Float32Array.of(value),
});

async function writeShards(weight_map: unknown): Promise<void> {
  await writeSafetensors(join(folder, 'one.safetensors'), [tensor('a', 1), tensor('b', 2)]);
  await writeSafetensors(join(folder, 'two.safetensors'), [tensor('c', 3)]);
  writeFileSync(indexPath, JSON.stringify({ metadata: { total_size: 12 }, weight_map }));
}

test('tensors are found in the shard that the index names', async () => {
  await writeShards({ a: 'one.safetensors', c: 'two.safetensors', b: 'one.safetensors' });
  await using file = await openCheckpoint(indexPath);
  expect([...file.tensors.keys()]).toEqual(['a', 'c', 'b']);
  expect(file.metadata).toEqual({ total_size: '12' });
  expect([...(await file.readFloat32('a')), ...(await file.readFloat32('c'))]).toEqual([1, 3]);
  expect([...(await file.read('b', { start: 0, end: 1 }))]).toEqual([2]);
  await expectError(file.read('d'), 'missing-tensor');
});

test('a shard that is missing, or lacks its tensor, is named', async () => {
  await writeShards({ a: 'three.safetensors' });
  await expectError(openSharded(indexPath), 'not-found', /three\.safetensors/);
  await writeShards({ c: 'one.safetensors' });
  await expectError(openSharded(indexPath), 'missing-tensor', /one\.safetensors has no tensor "c"/);
});

test.each([['../one.safetensors'], ['/etc/passwd'], ['sub/one.safetensors'], ['..'], [7]])(
  'an index that points at %s is refused',
  async (file) => {
    await writeShards({ a: file });
    await expectError(openSharded(indexPath), 'header', /not a file beside it/);
  },
);

test('JSON that is no index is refused', async () => {
  writeFileSync(indexPath, '{"weight_map": []}');
  await expectError(openSharded(indexPath), 'format', /no "weight_map" object/);
  writeFileSync(indexPath, '{');
  await expectError(openSharded(indexPath), 'format', /begins like JSON and is not/);
});
