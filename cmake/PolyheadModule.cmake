# polyhead_module(NAME [DEPENDS module...] [PRIVATE library...] [EXCLUDE file...])
# One static library per module: sources src/NAME/**/*.cpp with private headers beside them, public headers include/polyhead/NAME/*.hpp.
# Private headers of another folder of the module are included from src/ on: "data/files/stamp.hpp". Third-party libraries are PRIVATE, so
# that their headers cannot leak into the modules above. EXCLUDE: from src/NAME/ on.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(polyhead_flags INTERFACE)
target_include_directories(polyhead_flags INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_compile_options(polyhead_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                                $<$<BOOL:${POLYHEAD_WERROR}>:-Werror>)
# fp contraction changes bits between compilers; results must not depend on it.
target_compile_options(polyhead_flags INTERFACE -ffp-contract=off)
if(CMAKE_UNITY_BUILD OR POLYHEAD_UNITY_TESTS)
  target_compile_options(polyhead_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)  # a source is no header, though another file includes it
endif()
if(POLYHEAD_SANITIZE)
  target_compile_options(polyhead_flags INTERFACE -fsanitize=${POLYHEAD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(polyhead_flags INTERFACE -fsanitize=${POLYHEAD_SANITIZE})
endif()

function(polyhead_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;PRIVATE;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  foreach(file IN LISTS ARG_EXCLUDE)
    list(REMOVE_ITEM sources ${PROJECT_SOURCE_DIR}/src/${name}/${file})
  endforeach()
  list(TRANSFORM ARG_DEPENDS PREPEND polyhead::)
  add_library(polyhead_${name} STATIC ${sources})
  target_include_directories(polyhead_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  add_library(polyhead::${name} ALIAS polyhead_${name})
  target_link_libraries(polyhead_${name} PUBLIC polyhead_flags ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
  if(TARGET polyhead_headers AND NOT name MATCHES "^(model|config)$")  # model has another fmt, config is optimised otherwise
    target_precompile_headers(polyhead_${name} REUSE_FROM polyhead_headers)
  endif()
endfunction()
