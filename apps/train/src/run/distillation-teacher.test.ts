import { createHash } from 'node:crypto';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headTensors, tinyHead } from '../../test/tiny-heads';
import { temporaryFolder, tinyConfig, tinyMetadata, tinyTensors } from '../../test/tiny-model';
import { loadConfig } from '../config/load';
import { compareTeachers, teacherNotes } from './compare-teachers';
import { recordTeacher, teacherOf } from './distillation-teacher';
import type { SavedState } from './saved-state';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true }));

const named = (path: string) => teacherOf(loadConfig(['cpu-tiny'], [`franca.distillation.teacher=${path}`]).config);
const write = async (name: string, entries: readonly TensorEntry[]): Promise<string> => {
  const path = join(folder, name);
  await writeSafetensors(path, [...entries], tinyMetadata);
  return path;
};
const whole = (seed = 3) => [
  ...tinyTensors('backbone.'),
  ...headTensors('dino_head.', seed),
  ...headTensors('ibot_head.', 4),
];

test('a teacher is a backbone with its heads, and its hash is that of all values, whatever the file is called', async () => {
  const teacher = (await named(await write('whole.safetensors', whole())))!;
  expect([teacher.vit, teacher.heads.dino.levels, teacher.heads.ibot?.bottleneckDim]).toEqual([
    tinyConfig,
    tinyHead.levels,
    4,
  ]);
  const { file, sha256 } = await recordTeacher(teacher);
  expect(file).toBe(join(folder, 'whole.safetensors'));
  await mkdir(join(folder, 'run'));
  await cp(file, join(folder, 'run', 'teacher.safetensors'));
  const moved = await recordTeacher((await named(join(folder, 'run')))!);
  expect(moved).toEqual({ file: join(folder, 'run', 'teacher.safetensors'), sha256 });
  const other = await recordTeacher((await named(await write('other.safetensors', whole(5))))!);
  expect(other.sha256).not.toBe(sha256);
  // computed here from what was written
  const hash = createHash('sha256').update(
    JSON.stringify([Object.entries(teacher.vit).sort(([a], [c]) => (a < c ? -1 : 1)), teacher.heads]),
  );
  for (const { name, data } of whole())
    hash.update(`${name}\0`).update(Buffer.from(Float32Array.from(data as Float32Array).buffer));
  expect(sha256).toBe(hash.digest('hex'));
});

test('one head for both losses, and none at all', async () => {
  const shared = await write('shared.safetensors', [...tinyTensors('backbone.'), ...headTensors('dino_head.')]);
  expect((await named(shared))!.heads.ibot).toBeUndefined();
  const bare = await write('bare.safetensors', tinyTensors());
  await expect(named(bare)).rejects.toThrow(
    /^franca\.distillation\.teacher: .*bare\.safetensors is no teacher to distil: it has no heads, .* pretrain --config continue --from /,
  );
  await expect(named(join(folder, 'absent'))).rejects.toThrow('absent does not exist');
  expect(await teacherOf(loadConfig(['cpu-tiny'], []).config)).toBeUndefined();
});

test('a run goes on with the teacher that it learned from; a fork says what changes', () => {
  const record = (sha256: string) => ({ file: `/${sha256}.pth`, sha256 });
  const saved = (teacher?: object) => ({ made: { ...(teacher ? { teacher } : {}) } }) as SavedState;
  const resume = (before: SavedState, now?: ReturnType<typeof record>) =>
    compareTeachers({ saved: before, isFork: false }, now);
  expect(resume(saved(record('a')), { file: '/elsewhere', sha256: 'a' })).toEqual([]);
  expect(resume(saved())).toEqual([]);
  const difference =
    'the run learned from /a.pth (SHA-256 of its weights a), and would go on with /b.pth (SHA-256 of its weights b)';
  expect(() => resume(saved(record('a')), record('b'))).toThrow(
    `${difference}; franca.distillation.teacher=PLACE says where that one lies now; a fork may have another`,
  );
  expect(() => resume(saved(record('a')))).toThrow('would go on with no frozen teacher');
  expect(() => resume(saved(), record('b'))).toThrow('franca.distillation.teacher=null leaves it as it was');
  expect(compareTeachers({ saved: saved(record('a')), isFork: true }, record('b'))).toEqual([difference]);
});

test('a teacher that is not larger than its student is warned of', () => {
  const teacher = {
    vit: tinyConfig,
    heads: { dino: tinyHead, ibot: undefined },
    file: '/a',
    name: 'a',
    notes: ['heads: 2'],
  };
  const record = { file: '/a', sha256: '0123456789abcdef' };
  const small = { ...tinyConfig, depth: 1 };
  const [what, ...notes] = teacherNotes(teacher, record, small);
  expect(what).toMatch(
    /^distilling \/a \(SHA-256 of its weights 0123456789ab\): [\d.]+ million parameters into [\d.]+ million$/,
  );
  expect(notes).toEqual(['heads: 2']);
  expect(teacherNotes(teacher, record, tinyConfig).at(-1)).toMatch(/^warning: the teacher is not larger/);
});
