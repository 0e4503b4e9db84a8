import { describe, expect, it } from 'vitest';
import { chooseFiles } from './split-files';

const filesOf = (paths: string[], split: string): readonly string[] => chooseFiles('flowers', paths, split).files;

describe('chooseFiles', () => {
  it('takes everything for training where no name speaks of a split', () => {
    expect(filesOf(['b.parquet', 'a.parquet'], 'train')).toEqual(['a.parquet', 'b.parquet']);
    expect(() => chooseFiles('flowers', ['b.parquet', 'a.parquet'], 'val')).toThrow(/no files of split val/);
  });

  it('knows splits in folders, file names and by their other names', () => {
    const paths = [
      'default/train/0000.parquet',
      'default/validation/0000.parquet',
      'data/dev-0.parquet',
      'trainer.parquet',
    ];
    expect(filesOf(paths, 'train')).toEqual(['default/train/0000.parquet']);
    expect(filesOf(paths, 'validation')).toEqual(['data/dev-0.parquet', 'default/validation/0000.parquet']);
  });

  it('knows splits with names of their own', () => {
    expect(filesOf(['unsupervised-0.parquet', 'train-0.parquet'], 'unsupervised')).toEqual(['unsupervised-0.parquet']);
  });

  it('says what it leaves out because its name speaks of no split, and what to do where that is all there is', () => {
    const paths = ['extra-0.tar', 'extra-1.tar', 'train-0.tar', 'val-0.tar'];
    expect(chooseFiles('flowers', paths, 'train')).toEqual({
      files: ['train-0.tar'],
      notes: [expect.stringMatching(/^2 files .* speak of no split and are not used, e\.g\. extra-0\.tar$/)],
    });
    expect(() => chooseFiles('flowers', ['s-0.tar', 'val-0.tar'], 'train')).toThrow(
      /splits: val\); 1 names speak of no split, e\.g\. s-0\.tar: rename them/,
    );
  });
});
