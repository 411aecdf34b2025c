/* A header of the lowest layer. */
#include "spec/spec.h"
