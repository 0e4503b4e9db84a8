/** The frozen teacher that a run would go on with against the one that it learned from, and what there is to say of one. */
import { sizeOf } from '@franca/tensor';
import { type VitConfig, vitSpecs } from '@franca/vit';
import { TrainError } from '../errors';
import type { Continuation } from './continuation';
import type { DistillationTeacher } from './distillation-teacher';
import type { TeacherRecord } from './saved-state';

/** What there is to say of a teacher, for the record. */
export function teacherNotes(
  { vit, notes }: DistillationTeacher,
  { file, sha256 }: TeacherRecord,
  student: VitConfig,
): string[] {
  const [large, small] = [parametersOf(vit), parametersOf(student)];
  return [
    `distilling ${file} (SHA-256 of its weights ${sha256.slice(0, 12)}): ${millions(large)} parameters into ${millions(small)}`,
    ...notes,
    ...(large > small
      ? []
      : ['warning: the teacher is not larger than its student, which is what distillation is for']),
  ];
}

const parametersOf = (vit: VitConfig): number =>
  Object.values(vitSpecs(vit)).reduce((sum, { shape }) => sum + sizeOf(shape), 0);

const millions = (count: number): string => `${Number((count / 1e6).toPrecision(3))} million`;

/**
 * The teacher that a run would go on with against the one that it learned from.
 * @returns how a fork differs, in words
 * @throws TrainError `config` where a run that is resumed would learn from another one
 */
export function compareTeachers(
  { saved: { made }, isFork }: Pick<Continuation, 'saved' | 'isFork'>,
  now: TeacherRecord | undefined,
): string[] {
  const before = made?.teacher;
  if (before?.sha256 === now?.sha256) return [];
  const named = (one: TeacherRecord | undefined) =>
    one ? `${one.file} (SHA-256 of its weights ${one.sha256.slice(0, 12)})` : 'no frozen teacher';
  const difference = `the run learned from ${named(before)}, and would go on with ${named(now)}`;
  if (isFork) return [difference];
  throw new TrainError(
    'config',
    `${difference}; franca.distillation.teacher=${before ? 'PLACE says where that one lies now' : 'null leaves it as it was'}; a fork may have another`,
  );
}
