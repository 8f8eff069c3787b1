import { expect, it } from 'vitest';
import { numericFieldNames } from '../../src/catalogue/metrics.ts';

it('no field begins with x_, because tests use such names for fields that are unknown', () => {
  expect(numericFieldNames.filter((field) => field.startsWith('x_'))).toEqual([]);
});
