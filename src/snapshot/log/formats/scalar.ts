/** TensorFlow's `TensorProto`, as far as it holds one number. */
export interface WireTensor {
  readonly dtype?: number;
  readonly shape?: { readonly dim?: readonly { readonly size?: number }[] };
  readonly content?: Uint8Array;
  readonly floatVal?: readonly number[];
  readonly doubleVal?: readonly number[];
  readonly intVal?: readonly number[];
  readonly int64Val?: readonly number[];
}

/** Number types of a tensor, by `DataType` in tensorflow/core/framework/types.proto. */
const numberTypes: Readonly<
  Record<number, { readonly values: keyof WireTensor; readonly bytes: number; read(view: DataView): number }>
> = {
  1: { values: 'floatVal', bytes: 4, read: (view) => view.getFloat32(0, true) },
  2: { values: 'doubleVal', bytes: 8, read: (view) => view.getFloat64(0, true) },
  3: { values: 'intVal', bytes: 4, read: (view) => view.getInt32(0, true) },
  9: { values: 'int64Val', bytes: 8, read: (view) => Number(view.getBigInt64(0, true)) },
};

/** The number of a tensor that holds one, written as a list of one or as bytes. Undefined for any other tensor. */
export function scalarOf({ dtype = 0, shape, content, ...lists }: WireTensor): number | undefined {
  const type = numberTypes[dtype];
  if (type === undefined || shape?.dim?.some(({ size }) => size !== 1)) return undefined;
  const values = (lists as Readonly<Record<string, readonly number[] | undefined>>)[type.values];
  if (values?.length === 1) return values[0];
  if (content?.length !== type.bytes) return undefined;
  return type.read(new DataView(content.buffer, content.byteOffset, content.length));
}
