/* May know the spec. */
#include "spec/spec.h"
