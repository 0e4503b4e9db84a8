import { describe, expect, it } from 'vitest';
import { DataError } from '../errors';
import { type BadImage, createBadImageLog } from './bad-images';

const truncated = new DataError('corrupt-image', 'the file ends too early');

describe('createBadImageLog', () => {
  it('counts and names each unusable image', () => {
    const told: BadImage[] = [];
    const log = createBadImageLog({ onBad: (image) => told.push(image) });
    log.good();
    log.bad('a.jpg', truncated);
    log.bad('b.jpg', new DataError('empty-file', 'the file has no bytes'));
    log.bad('a.jpg', truncated);
    expect(log.counts()).toEqual({ seen: 4, bad: 3 });
    expect(log.images()).toEqual([
      { key: 'a.jpg', code: 'corrupt-image', message: 'the file ends too early', times: 2 },
      { key: 'b.jpg', code: 'empty-file', message: 'the file has no bytes', times: 1 },
    ]);
    expect(told.map((image) => [image.key, image.times])).toEqual([
      ['a.jpg', 1],
      ['b.jpg', 1],
      ['a.jpg', 2],
    ]);
  });

  it('stops above the share, with the list', () => {
    const log = createBadImageLog({ maxShare: 0.25, minSeen: 8 });
    log.bad('one.jpg', truncated);
    log.bad('two.jpg', truncated);
    expect(() => log.bad('three.jpg', truncated)).toThrowError(
      expect.objectContaining({
        code: 'too-many-bad-images',
        message: expect.stringMatching(/3 of 3 .*one\.jpg.*two\.jpg.*three\.jpg: corrupt-image/s),
      }),
    );
  });

  it('takes the share of what was seen once that is enough', () => {
    const log = createBadImageLog({ maxShare: 0.1, minSeen: 10 });
    for (let image = 0; image < 28; image++) log.good();
    log.bad('one.jpg', truncated);
    log.bad('two.jpg', truncated);
    log.bad('three.jpg', truncated); // 3 of 31: below 10 %
    expect(() => log.bad('four.jpg', truncated)).toThrow(/4 of 32/);
  });

  it('stops a run that finds no usable image at all, whatever the share', () => {
    const log = createBadImageLog({ maxShare: 1, minSeen: 3 });
    log.bad('one.jpg', truncated);
    log.bad('two.jpg', truncated);
    expect(() => log.bad('three.jpg', truncated)).toThrow(/3 of 3/);
  });

  it('continues the counts of an interrupted run', () => {
    const log = createBadImageLog({ maxShare: 0.1, minSeen: 1 }, { seen: 100, bad: 10 });
    expect(() => log.bad('late.jpg', truncated)).toThrow(/11 of 101/);
  });

  it('passes on errors that do not concern one image', () => {
    const log = createBadImageLog();
    expect(() => log.bad('x.jpg', new TypeError('a mistake in the program'))).toThrow(TypeError);
    expect(() => log.bad('x.jpg', new DataError('no-network', 'offline'))).toThrow('offline');
    expect(log.counts()).toEqual({ seen: 0, bad: 0 });
  });
});
