/* The own header must come first. */
#include <stdio.h>
#include "base/leaf.h"
