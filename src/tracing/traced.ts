import type { Attributes } from '@opentelemetry/api';
import { type SpanSettings, withSpan } from './span.ts';

/**
 * A standard (TC39) decorator for methods: every call runs in a span, as with `withSpan`. The method keeps its name, its
 * number of parameters, `this` and its type. For a generator the span covers only the call, not the iteration.
 *
 * Throws a TypeError under TypeScript's older `experimentalDecorators`, and on anything other than a method.
 */
export function traced(name: string, attributes: Attributes = {}, settings: SpanSettings = {}) {
  return function decorate<This, Parameters extends unknown[], Result>(
    method: (this: This, ...parameters: Parameters) => Result,
    decorated: ClassMethodDecoratorContext<This, (this: This, ...parameters: Parameters) => Result>,
  ): (this: This, ...parameters: Parameters) => Result {
    if (typeof method !== 'function' || decorated?.kind !== 'method') {
      throw new TypeError(
        `@traced("${name}") is a standard decorator for methods: it needs TypeScript without experimentalDecorators`,
      );
    }
    function wrapped(this: This, ...parameters: Parameters): Result {
      return withSpan(name, attributes, () => method.apply(this, parameters), settings);
    }
    Object.defineProperty(wrapped, 'name', { value: method.name, configurable: true });
    Object.defineProperty(wrapped, 'length', { value: method.length, configurable: true });
    return wrapped;
  };
}
