import { describe, expect, it } from 'vitest';
import { chooseFiles } from './split-files';

describe('chooseFiles', () => {
  it('takes everything for training where no name speaks of a split', () => {
    expect(chooseFiles('flowers', ['b.parquet', 'a.parquet'], 'train')).toEqual(['a.parquet', 'b.parquet']);
    expect(() => chooseFiles('flowers', ['b.parquet', 'a.parquet'], 'val')).toThrow(/no files of split val/);
  });

  it('knows splits in folders, file names and by their other names', () => {
    const paths = [
      'default/train/0000.parquet',
      'default/validation/0000.parquet',
      'data/dev-0.parquet',
      'trainer.parquet',
    ];
    expect(chooseFiles('flowers', paths, 'train')).toEqual(['default/train/0000.parquet']);
    expect(chooseFiles('flowers', paths, 'validation')).toEqual([
      'data/dev-0.parquet',
      'default/validation/0000.parquet',
    ]);
  });

  it('knows splits with names of their own', () => {
    expect(chooseFiles('flowers', ['unsupervised-0.parquet', 'train-0.parquet'], 'unsupervised')).toEqual([
      'unsupervised-0.parquet',
    ]);
  });
});
