/** What generated code needs for exceptions, declared ones and the one for none. */
import { ThriftApplicationError, ThriftApplicationErrorType } from '../errors.js'

/** Gives a class of errors its name, on the prototype, where it is not taken for a field. */
export function nameException(constructor: new (...fields: never[]) => Error, name: string): void {
  Object.defineProperty(constructor.prototype, 'name', { value: name, configurable: true, writable: true })
}

/**
 * A REPLY without value or exception where the method is not void.
 * @throws ThriftApplicationError always.
 */
export function missingResult(method: string): never {
  throw new ThriftApplicationError(
    `${method} answered with neither a result nor a declared exception; the peer may know another version of the IDL`,
    ThriftApplicationErrorType.MISSING_RESULT,
  )
}
