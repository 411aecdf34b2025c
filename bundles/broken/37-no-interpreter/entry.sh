#!/opt/python/bin/python3
print("hello")
