import { describe, expect, it } from 'vitest';
import { looksLikeDatasetString, parseDatasetString } from './dataset-string';

describe('parseDatasetString', () => {
  it('parses name, split, root and extra', () => {
    expect(parseDatasetString('ImageNet:split=VAL:root=/data/in1k:extra=/data/extra')).toEqual({
      name: 'ImageNet',
      split: 'val',
      root: '/data/in1k',
      extra: '/data/extra',
    });
    expect(parseDatasetString('LAION:root=/data/laion')).toEqual({
      name: 'LAION',
      split: 'train',
      root: '/data/laion',
    });
  });

  it('lets the last of a repeated key win, as the official ImageNet-21K configurations need', () => {
    expect(parseDatasetString('ImageNet22k:root=/a:extra=/e:root=/b')).toMatchObject({ root: '/b', extra: '/e' });
  });

  it('lets paths contain colons and equals signs', () => {
    expect(parseDatasetString('ImageNet:root=C:\\data:split=TRAIN')).toMatchObject({ root: 'C:\\data' });
    expect(parseDatasetString('ImageNet:root=/runs/lr=3:b=4/x')).toMatchObject({ root: '/runs/lr=3:b=4/x' });
  });

  it.each([
    ['ImageNet21k:root=/x', /"ImageNet21k" is not one of ImageNet, ImageNet22k, LAION/],
    ['ImageNet:split=TRAIN', /root is missing/],
    ['ImageNet:root=/x:split=TRIAN', /split "TRIAN" is not one of TRAIN, VAL, TEST/],
    ['ImageNet:splt=TRAIN:root=/x', /"splt=TRAIN" is not split=/],
    ['ImageNet22k:split=VAL:root=/x', /ImageNet22k has no VAL split/],
    ['ImageNet', /root is missing/],
  ])('explains what is wrong with %s', (text, message) => {
    expect(() => parseDatasetString(text)).toThrowError(
      expect.objectContaining({ code: 'spec', message: expect.stringMatching(message) }),
    );
  });

  it('is told from paths by its beginning', () => {
    expect(['ImageNet:split=TRAIN', 'Imagenet1k:root=/x', 'LAION'].map(looksLikeDatasetString)).toEqual([
      true,
      true,
      true,
    ]);
    expect(['/data/ImageNet', 'photos', 'C:\\root=x', 'hf://a/b'].map(looksLikeDatasetString)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
